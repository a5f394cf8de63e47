// Relocatable deflate: permessage-deflate at context-takeover ratios for tens of nanoseconds a delivery and
// no zlib state per connection. This header brings all of its parts together.
//
// What it replaces. A WebSocket server that compresses well keeps a zlib stream per connection: about 7 us a
// message and 260 KB each. One compressor shared by all connections forgoes the context: 160 bytes where 30
// to 60 would do. Here: 45 ns a delivery, 8 bytes a subscription, and fewer bytes than zlib's level 1.
//
// The idea. Two streams that get the same message after the same earlier message of its topic need the same
// literals and the same matches. They differ in one thing only: how far back that earlier message (the
// *base*) lies. So, as with object code, compile once and relocate per use:
//
//   assemble  once per message and base: literals and lengths become ready bits of the fixed Huffman code;
//             a distance into a base stays open and keeps its own offset, place in message - place in base.
//   link      per delivery: distance = gap + offset, where gap = the stream's position now - its position
//             when it was sent the base. Copies runs of ready bits, closes the few distances between them.
//
// What it takes to be right, and who sees to it:
//   - A base may be used only if this stream was sent it, compressed, and it is still in reach:
//     gap + message size <= 32768 (base_in_reach, WindowTrail::reach). Otherwise: the standalone form.
//   - Every message sent compressed, in either form, advances the stream's position by its uncompressed size;
//     one sent plain (RSV1 = 0) does not (StreamPosition::advance).
//   - A match never runs past the end of its base: what follows it there differs from stream to stream.
//   - Each payload is a block of its own, ends with an empty stored block and leaves out that block's
//     00 00 FF FF (RFC 7692 7.2.1), so forms of every kind may follow each other in any order.
//   - Fixed Huffman codes only: a dynamic header costs more than it saves on messages of this size.
//
// Thread: Assembler and Standalone belong to one thread; an Assembled and the values here to whoever has
// them. docs/RELOCATABLE-DEFLATE.md walks through an example and has the figures.
#pragma once

#include "codec/assembled.h"
#include "codec/assembler.h"
#include "codec/link.h"
#include "codec/standalone.h"
#include "codec/stream_position.h"
#include "codec/window_trail.h"
