import assert from "node:assert/strict";
import test from "node:test";
import { keepDrawn, onNextFrame, setAttribute, setText } from "../../../web/frame.js";

const frames = [];
globalThis.requestAnimationFrame = (draw) => frames.push(draw);
const drawFrame = () => frames.splice(0).forEach((draw) => draw());

const item = () => ({ drawn: 0, render() { this.drawn++; } });

test("a thousand updates are drawn once, in the next frame", () => {
  const [a, b] = [item(), item()];
  for (let i = 0; i < 1000; i++) onNextFrame(i % 2 ? a : b);
  assert.deepEqual([a.drawn, b.drawn, frames.length], [0, 0, 1]);
  drawFrame();
  drawFrame();
  assert.deepEqual([a.drawn, b.drawn], [1, 1]);
});

test("what is marked while drawing is drawn in the frame after", () => {
  const a = { drawn: 0, render() { if (this.drawn++ === 0) onNextFrame(this); } };
  onNextFrame(a);
  drawFrame();
  assert.equal(a.drawn, 1);
  drawFrame();
  assert.equal(a.drawn, 2);
});

test("a hidden page is not drawn by the clock, and an item that ended never", () => {
  const { setInterval, clearInterval } = globalThis;
  let tick = null;
  Object.assign(globalThis, { document: { hidden: false }, setInterval: (work) => (tick = work), clearInterval: () => (tick = null) });
  const a = item();
  const end = keepDrawn(a);
  const second = () => { tick?.(); drawFrame(); };
  second();
  assert.equal(a.drawn, 1);
  document.hidden = true;
  second();
  assert.deepEqual([a.drawn, frames.length], [1, 0]);
  document.hidden = false;
  tick();
  end();
  drawFrame();
  second();
  assert.equal(a.drawn, 1);
  Object.assign(globalThis, { document: undefined, setInterval, clearInterval });
});

test("only what differs is written", () => {
  const writes = [];
  const text = { get data() { return "a"; }, set data(value) { writes.push(value); } };
  const element = { firstChild: text, textContent: "a", getAttribute: () => "1", setAttribute: (...write) => writes.push(write) };
  setText(element, "a");
  setAttribute(element, "x", 1);
  assert.deepEqual(writes, []);
  setText(element, "b");
  setAttribute(element, "x", 2);
  assert.deepEqual(writes, ["b", ["x", "2"]]);
});

test("an item that cannot be drawn takes no other down", () => {
  const faults = [];
  globalThis.reportError = (error) => faults.push(error.message);
  const [bad, good] = [{ render() { throw new Error("mine"); } }, item()];
  onNextFrame(bad);
  onNextFrame(good);
  drawFrame();
  delete globalThis.reportError;
  assert.deepEqual([good.drawn, faults], [1, ["mine"]]);
});
