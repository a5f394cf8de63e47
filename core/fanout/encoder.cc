#include "fanout/encoder.h"

#include <algorithm>
#include <array>

#include "protocol/transcode.h"

namespace tickwire {
namespace {

// Below that many subscribers the better parse does not pay for itself.
constexpr std::size_t kOptimalSubscribersMin = 4;
// Snapshots that paced subscriptions of one topic were sent, kept as bases: one for each pace that is used.
constexpr std::size_t kPacedBasesMax = 4;

using GapsOut = std::array<std::uint32_t, kBasesMax>;

bool compresses(const Session& session, const std::string& message) {
  return session.framing.compression != Compression::kNone && message.size() <= kCompressedBytesMax;
}

bool links(const Session& session) {
  return session.framing.compression == Compression::kContext;
}

}  // namespace

bool Encoder::gap(const Session& session, std::string_view text) {
  return plain(session, in_format(session.framing.format, std::string(text)));
}

bool Encoder::status(const Session& session, const Update& update) {
  return plain(session, Forms(update, session.framing.format).status());
}

bool Encoder::plain(const Session& session, std::string_view payload) {
  if (!fits(session.framing.framed_bytes(payload.size()))) return false;
  buffer_.append_message(session.framing, payload, false);
  return true;
}

bool Encoder::plain(const Session& session, Subscription& subscription, std::string_view payload) {
  subscription.trail.clear();
  return plain(session, payload);
}

void Encoder::append_standalone(Session& session, const std::string& payload, std::size_t message_bytes) {
  buffer_.append_message(session.framing, payload, true);
  session.window.advance(message_bytes);
  ++standalone;
}

void Encoder::append_linked(Session& session, const Assembled& form, std::span<const std::uint32_t> gaps) {
  buffer_.append_linked(session.framing, form, gaps);
  session.window.advance(form.message_bytes);
  ++linked;
}

// --- updates --------------------------------------------------------------------------------------------

bool Encoder::update(Session& session, Subscription& subscription, const Applied& applied) {
  const Update& update = *applied.update;
  const Forms forms(update, session.framing.format);
  const std::string& message = forms.update();
  if (update.status_only()) return plain(session, message);
  if (!compresses(session, message)) return plain(session, subscription, message);
  const std::size_t bytes = message.size();
  if (!fits_message(session, message)) return false;
  GapsOut gaps{};
  const std::size_t bases = links(session) ? subscription.trail.reach(session.window, bytes, gaps) : 0;
  const Assembled* form = bases > 0 ? linked_update(forms, subscription, applied, bases) : nullptr;
  if (subscription.trail.count() != 1) subscription.from_snapshot = false;  // the oldest leaves the trail
  subscription.trail.push(session.window);
  if (form != nullptr) {
    append_linked(session, *form, gaps);
  } else {
    append_standalone(session, forms.standalone_update(standalone_), bytes);
  }
  return true;
}

const Assembled* Encoder::linked_update(const Forms& forms, const Subscription& subscription,
                                        const Applied& applied, std::size_t bases) {
  const std::size_t sent = subscription.trail.count();
  const bool snapshot = subscription.from_snapshot && bases == sent;
  std::array<std::string_view, kBasesMax> texts;
  for (std::size_t i = 0; i < bases; ++i) {
    const UpdatePtr& base = applied.before.at(i);
    if (!base) return nullptr;
    const bool oldest = i + 1 == bases;
    const Forms sent_before(*base, forms.format());
    texts.at(i) = oldest && snapshot ? sent_before.snapshot() : sent_before.update();
  }
  const std::string& text = forms.update();
  if (text.size() > kAssembledBytesMax) return nullptr;
  using Bases = Forms::Bases;
  const Bases which = bases == 1 ? (snapshot ? Bases::kSnapshot : Bases::kUpdate)
                                 : (snapshot ? Bases::kUpdateSnapshot : Bases::kTwoUpdates);
  return &forms.linked_update(which, [&] {
    const bool many = applied.state->subscribers.size() >= kOptimalSubscribersMin;
    return assembler_.assemble(text, std::span(texts).first(bases),
                               {many ? Parse::kOptimal : Parse::kGreedy});
  });
}

bool Encoder::pattern_update(Session& session, PatternSubscription& subscription, const Applied& applied,
                             const PatternStep* step) {
  const Forms forms(*applied.update, session.framing.format);
  const std::string& message = forms.update();
  if (step == nullptr || !compresses(session, message)) return plain(session, message);
  const std::size_t bytes = message.size();
  if (!fits_message(session, message)) return false;
  if (subscription.last_sent == 0 || subscription.last_sent != step->before[0].apply_no)
    subscription.trail.clear();
  GapsOut gaps{};
  const std::size_t bases = links(session) ? subscription.trail.reach(session.window, bytes, gaps) : 0;
  const Assembled* form = bases > 0 ? linked_step(forms, *step, bases) : nullptr;
  subscription.trail.push(session.window);
  subscription.last_sent = step->apply_no;
  if (form != nullptr) {
    append_linked(session, *form, gaps);
  } else {
    append_standalone(session, forms.standalone_update(standalone_), bytes);
  }
  return true;
}

const Assembled* Encoder::linked_step(const Forms& forms, const PatternStep& step, std::size_t bases) {
  std::optional<Assembled>& form = step.linked.in(forms.format()).at(bases - 1);
  if (form) return &*form;
  const std::string& text = forms.update();
  if (text.size() > kAssembledBytesMax) return nullptr;
  std::array<std::string_view, kBasesMax> texts;
  for (std::size_t i = 0; i < bases; ++i) {
    if (!step.before.at(i).update) return nullptr;
    texts.at(i) = Forms(*step.before.at(i).update, forms.format()).update();
  }
  form = assembler_.assemble(text, std::span(texts).first(bases));
  return &*form;
}

bool Encoder::kept_update(Session& session, Subscription& subscription, const Update& update) {
  const Forms forms(update, session.framing.format);
  const std::string& message = forms.update();
  if (!compresses(session, message)) return plain(session, subscription, message);
  if (!fits_message(session, message)) return false;
  if (subscription.trail.count() != 1) subscription.from_snapshot = false;
  subscription.trail.push(session.window);
  append_standalone(session, forms.standalone_update(standalone_), message.size());
  return true;
}

// --- snapshots ------------------------------------------------------------------------------------------

bool Encoder::snapshot(Session& session, Subscription& subscription, TopicState& state,
                       const Update& update) {
  const Forms forms(update, session.framing.format);
  const std::string& message = forms.snapshot();
  if (!compresses(session, message)) return plain(session, subscription, message);
  const std::size_t bytes = message.size();
  if (!fits_message(session, message)) return false;
  GapsOut gaps{};
  const bool paced = subscription.pace_ms > 0 && links(session) && &update == state.last.get();
  const bool after_snapshot = paced && subscription.from_snapshot && subscription.trail.count() == 1 &&
                              subscription.trail.reach(session.window, bytes, gaps) == 1;
  const Assembled* form = after_snapshot ? linked_snapshot(forms, subscription, state) : nullptr;
  subscription.trail.clear();
  // A snapshot made from a change of status is not the topic's data update of that seq, so no base.
  if (!update.status_only()) subscription.trail.push(session.window);
  subscription.from_snapshot = true;
  if (form != nullptr) {
    append_linked(session, *form, std::span(gaps).first(1));
  } else {
    append_standalone(session, forms.standalone_snapshot(standalone_), bytes);
  }
  if (paced && !update.status_only()) state.keep_paced_base(kPacedBasesMax);
  return true;
}

const Assembled* Encoder::linked_snapshot(const Forms& forms, const Subscription& subscription,
                                          TopicState& state) {
  const auto base = std::find_if(state.paced.begin(), state.paced.end(), [&](const PacedBase& paced) {
    return paced.update->seq() == subscription.seq;
  });
  const std::string& text = forms.snapshot();
  if (base == state.paced.end() || text.size() > kAssembledBytesMax) return nullptr;
  PacedBase::Next& next = base->next.in(forms.format());
  if (next.revision != state.last->revision()) {
    const std::array<std::string_view, 1> bases{Forms(*base->update, forms.format()).snapshot()};
    next = {state.last->revision(), assembler_.assemble(text, bases)};
  }
  return &next.form;
}

bool Encoder::pattern_snapshot(Session& session, PatternSubscription& subscription, const TopicState& state) {
  const Forms forms(*state.last, session.framing.format);
  const std::string& message = forms.snapshot();
  if (!fits_message(session, message)) return false;
  subscription.trail.clear();
  if (!compresses(session, message)) return plain(session, message);
  append_standalone(session, forms.standalone_snapshot(standalone_), message.size());
  return true;
}

}  // namespace tickwire
