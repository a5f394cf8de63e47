// The connection that all elements of a page share, and the addresses that lead to it.
import assert from "node:assert/strict";
import test from "node:test";
import { socketUrl } from "../../../web/connection.js";
import { share } from "../../../web/share.js";
import { FakeSocket, clock } from "./fakes.mjs";

const LINGER_MS = 1_000;

test("one connection per server, closed with the last that lets go, each once", async () => {
  const [one, other] = [share("ws://one/ws"), share("https://one/").client];
  assert.notEqual(one.client, other, "another scheme is another server");
  const same = share("ws://one/ws/");
  assert.equal(same.client, one.client);
  one.release();
  one.release();
  await clock.advance(LINGER_MS);
  assert.notEqual(one.client.state, "closed", "the second release of one is not the other's");
  same.release();
  await clock.advance(LINGER_MS - 1);
  const back = share("ws://one/ws");
  await clock.advance(1);
  assert.equal(back.client, one.client);
  assert.notEqual(back.client.state, "closed", "it came back in time");
  back.release();
  await clock.advance(LINGER_MS);
  assert.equal(back.client.state, "closed");
});

test("a connection that is closed for good is given to nobody, and its end takes no other away", async () => {
  const first = share("ws://two/ws");
  FakeSocket.last.drop(4500, "origin");
  assert.equal(first.client.state, "closed");
  const second = share("ws://two/ws");
  assert.notEqual(second.client, first.client);
  first.release();
  await clock.advance(LINGER_MS);
  assert.equal(share("ws://two/ws").client, second.client);
  assert.notEqual(second.client.state, "closed");
});

for (const code of [1002, 1007, 1009, 4501]) {
  test(`close ${code}: others of the page get a connection`, async () => {
    const { client } = share(`ws://close-${code}/ws`);
    FakeSocket.last.welcome();
    FakeSocket.last.drop(code);
    assert.equal(share(`ws://close-${code}/ws`).client.state === "closed", false);
    assert.equal(client.state, [1007, 1009].includes(code) ? "away" : "closed");
  });
}

test("addresses of a server, as people write them", () => {
  const base = "https://site.example/shop/page.html";
  for (const [src, url] of Object.entries({
    "ws://h:8080/ws": "ws://h:8080/ws",
    "ws://h/ws/": "ws://h/ws",
    "ws://h/ws//?token=a%2Fb/": "ws://h/ws?token=a%2Fb/",
    "ws://h": "ws://h/ws",
    "http://h:8080": "ws://h:8080/ws",
    "https://h/": "wss://h/ws",
    "https://h/plant/ws": "wss://h/plant/ws",
    "https://h/ws#top": "wss://h/ws",
    "/ws": "wss://site.example/ws",
    "plant/ws": "wss://site.example/shop/plant/ws",
    "//h/ws": "wss://h/ws",
    " ws://h/ws ": "ws://h/ws",
  })) assert.equal(socketUrl(src, base), url, src);
  for (const src of ["ftp://h", "mailto:x", "javascript:1", "file:///ws", "ws://", "http://"]) {
    assert.throws(() => socketUrl(src, base), (error) => /not a server's address|Invalid URL/.test(error.message), src);
  }
});
