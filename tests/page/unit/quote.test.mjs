import assert from "node:assert/strict";
import test from "node:test";
import { clock, compact, localize, showAge } from "../../../web/format.js";
import { Quote, numeric, parseFields, parts, show } from "../../../web/quote.js";

function quoteOf(...images) {
  const quote = new Quote();
  for (const image of images) quote.take(image);
  return quote;
}

test("decimal strings are shown as sent", () => {
  for (const text of ["0.10", "1.00", "00012", "1e5", "101.250000000000000001"]) assert.equal(quoteOf({ last: text }).last, text);
});

test("the price is last, else price, else the middle of bid and ask", () => {
  assert.equal(quoteOf({ price: "2.0", last: "1.0" }).last, "1.0");
  assert.equal(quoteOf({ price: "2.0", bid: "3" }).last, "2.0");
  assert.equal(quoteOf({ bid: "1.00", ask: "1.01" }).last, "1.005");
  assert.equal(quoteOf({ best_bid: 1, best_ask: 2 }).last, "1.5");
  assert.equal(quoteOf({ bid: "1.00" }).last, "–");
});

test("the change is from the open, in the digits of the price", () => {
  const { change, percent, trend } = quoteOf({ last: "101.25", open: "100.00" });
  assert.deepEqual([change, percent, trend], ["+1.25", "+1.25%", 1]);
  const down = quoteOf({ price: "99", open_24h: "100.0" });
  assert.deepEqual([down.change, down.percent, down.trend], ["−1.0", "−1.00%", -1]);
  const flat = quoteOf({ last: "5.00", open: 5 });
  assert.deepEqual([flat.change, flat.percent, flat.trend], ["0.00", "0.00%", 0]);
});

test("a change that the feed names is shown as sent", () => {
  const quote = quoteOf({ last: "10", change: "-0.50" });
  assert.deepEqual([quote.change, quote.percent, quote.trend], ["-0.50", "", -1]);
  assert.equal(quoteOf({ last: "10", change: "1.2%" }).trend, 1);
  assert.equal(quoteOf({ last: "10", change: "n/a" }).trend, 0);
  const both = quoteOf({ last: "10", change: "+9", open: "8" });
  assert.deepEqual([both.change, both.percent], ["+2", "+25.00%"], "which of amount and percent it sent is not known");
});

test("the base of a change is named, and where the feed gives none there is no change", () => {
  const changes = (image) => (({ base, change, percent, trend }) => [base, change, percent, trend])(quoteOf({ last: "10.0" }, image));
  assert.deepEqual(changes({ last: "11.0" }), ["", "", "", 0]);
  assert.deepEqual(changes({ last: "11.0", open: "10" }), ["open", "+1.0", "+10.00%", 1]);
  assert.deepEqual(changes({ last: "11.0", open_24h: "10" })[0], "open_24h");
  assert.deepEqual(changes({ last: "11.0", change: "+1" }), ["change", "+1", "", 1]);
  assert.deepEqual(changes({ last: "n/a", open: "10" }), ["", "", "", 0]);
});

test("what rounds to 0.00% has no sign and no direction", () => {
  for (const [last, percent, trend] of [["100000.004", "0.00%", 0], ["99999.996", "0.00%", 0], ["100005", "+0.01%", 1], ["99995", "−0.01%", -1]]) {
    const quote = quoteOf({ last, open: "100000" });
    assert.deepEqual([quote.percent, quote.trend], [percent, trend], last);
  }
});

test("numbers have the digits of their symbol, strings their own", () => {
  const shown = (...lasts) => { const quote = new Quote(); return lasts.map((last) => (quote.take({ last }), quote.last)); };
  assert.deepEqual(shown(1.25, 1.5, 2, 1.125, 1.5), ["1.25", "1.50", "2.00", "1.125", "1.500"]);
  assert.deepEqual(shown("1.25", "1.5", "2"), ["1.25", "1.5", "2"]);
});

test("other figures are as sent; the spread is exact", () => {
  const quote = quoteOf({ bid: "0.1", ask: "0.3", volume_24h: "12.50" });
  assert.deepEqual(["bid", "ask", "spread", "volume", "high"].map((name) => quote.figure(name)), ["0.1", "0.3", "0.2", "12.50", "–"]);
});

test("figures in the writing of a language, digit for digit", () => {
  assert.equal(localize("1234567.10", { locale: "en" }), "1,234,567.10");
  assert.equal(localize("1234567.10", { locale: "de" }), "1.234.567,10");
  assert.equal(localize("1234567.10", { locale: "en-IN" }), "12,34,567.10");
  assert.equal(localize("1234.5", { locale: "es" }), "1234,5", "four digits are not grouped there");
  assert.equal(localize("12345678901234567890.123456789", { locale: "en" }), "12,345,678,901,234,567,890.123456789");
  assert.equal(localize("0.00000001227", { locale: "en" }), "0.00000001227");
  assert.equal(localize("-3.50", { locale: "en" }), "−3.50");
  assert.equal(localize("+3.50", { locale: "fr" }), "+3,50");
  assert.equal(localize("9.90", { locale: "en", currency: "EUR" }), "€9.90");
  assert.equal(localize("1500", { locale: "ar-EG" }).replace(/\D/g, ""), "1500", "the digits that were sent");
  for (const text of ["–", "1e5", "00012", ".5", "n/a", "1.", "1 000", `0.${"1".repeat(30)}`]) assert.equal(localize(text, { locale: "de" }), text);
});

test("volumes are shortened, times are those of a clock", () => {
  assert.deepEqual(["48211.5", "999", "4100000"].map((text) => compact(text, { locale: "en" })), ["48.2K", "999", "4.1M"]);
  assert.equal(compact("n/a"), "n/a");
  assert.match(clock(0, { locale: "en" }), /^\d\d:\d\d$/);
  assert.match(clock(0, { locale: "en" }, true), /^\d\d:\d\d:\d\d$/);
});

test("tick is the sign of the last move", () => {
  assert.equal(quoteOf({ last: "1" }).tick, 0);
  assert.equal(quoteOf({ last: "1" }, { last: "2" }).tick, 1);
  assert.equal(quoteOf({ last: "1" }, { last: "0.9" }).tick, -1);
  assert.equal(quoteOf({ last: "1" }, { last: "1.0" }).tick, 0);
  assert.equal(quoteOf({ last: "1" }, { last: "x" }, { last: "2" }).tick, 0);
});

test("fields can be renamed", () => {
  const quote = new Quote(parseFields(" last:p,mark  open:o bogus nonsense: "));
  quote.take({ last: "1", mark: "2.0", o: "1.0" });
  assert.deepEqual([quote.last, quote.percent], ["2.0", "+100.00%"]);
});

test("values of any kind are shown or dashed, never thrown", () => {
  const odd = [null, undefined, {}, [], [1], { toString: 1 }, { valueOf: 1, toString: 1 }, true, false, "", " ", "x".repeat(1e6), NaN, Infinity, -0, 1e300, 1e-300, "1e999", "__proto__", "<b>"];
  for (const last of odd) {
    for (const other of odd) {
      const quote = quoteOf({ last, change: other, open: other, bid: other, ask: last }, { last: other, open: last });
      for (const text of [quote.last, quote.change, quote.percent]) assert.ok(typeof text === "string" && text.length <= 400, text);
    }
  }
  assert.equal(quoteOf({}).last, "–");
  assert.equal(quoteOf(JSON.parse('{"__proto__": {"last": "9"}}')).last, "–");
});

test("long texts are cut", () => {
  assert.equal(show("x".repeat(40)).length, 40);
  assert.equal(show("x".repeat(41)), `${"x".repeat(40)}…`);
});

test("what is a number", () => {
  assert.deepEqual(["1.5", 1.5, "-1e3"].map(numeric), [1.5, 1.5, -1000]);
  for (const value of ["", " ", "1.2%", null, undefined, true, [], {}]) assert.ok(Number.isNaN(numeric(value)), String(value));
});

test("ages", () => {
  const said = { 0: "now", 999: "now", 1000: "1 s", 59_999: "59 s", 60_000: "1 min", 3_599_999: "59 min", 3_600_000: "1 h", 86_400_000: "1 d" };
  for (const [ms, text] of Object.entries(said)) assert.equal(showAge(Number(ms)), text.replace(" ", "\u202f"));
});

test("the parts of a topic", () => {
  assert.deepEqual(parts("ticker.coinbase.BTC-USD"), { channel: "ticker", venue: "coinbase", symbol: "BTC-USD" });
  assert.deepEqual(parts("candle.kraken.1m.AAPL"), { channel: "candle", venue: "kraken.1m", symbol: "AAPL" });
  assert.deepEqual(parts("ticker.AAPL"), { channel: "ticker", venue: "", symbol: "AAPL" });
  assert.deepEqual(parts("AAPL"), { channel: "AAPL", venue: "", symbol: "AAPL" });
});

test("a price however small, large or spelled is never shown as zero, and its change is exact", () => {
  const shown = (...images) => {
    const { last, change, percent, trend, tick } = quoteOf(...images);
    return [last, change, percent, trend, tick];
  };
  assert.deepEqual(shown({ last: 0.00000002, open: "2e-8" }), ["0.00000002", "0.00000000", "0.00%", 0, 0]);
  assert.deepEqual(shown({ last: 1e-8 }, { last: 3e-8, open: 1e-8 }), ["0.00000003", "+0.00000002", "+200.00%", 1, 1]);
  assert.deepEqual(shown({ last: "1E-8" }, { last: "5e-9", open: "1E-8" }), ["5e-9", "−0.000000005", "−50.00%", -1, -1]);
  assert.deepEqual(shown({ last: 0 }, { last: 2e-8, open: 0 }), ["0.00000002", "+0.00000002", "", 1, 1], "there is no percent of 0");
  assert.deepEqual(shown({ last: "1E+3", open: "999.5" }), ["1E+3", "+0.5", "+0.05%", 1, 0]);
  assert.deepEqual(shown({ last: "101.250000000000000001" }, { last: "101.250000000000000002", open: "101.250000000000000001" }).slice(1), ["+0.000000000000000001", "0.00%", 0, 1]);
  assert.deepEqual(shown({ last: "12345678901234567890.1", open: "12345678901234567890.0" })[1], "+0.1");
  assert.deepEqual(shown({ last: "-0.00" }, { last: "0.00", open: "-0.00" }), ["0.00", "0.00", "", 0, 0], "negative zero is no move");
  assert.deepEqual(shown({ last: "2e-300", open: "1e-300" }), ["2e-300", "+1e-300", "+100.00%", 1, 0]);
  assert.deepEqual(shown({ last: "2E+300", open: "1e300" }), ["2E+300", "+1e+300", "+100.00%", 1, 0]);
  assert.deepEqual(shown({ last: 5e-324 })[0], "5e-324");
  assert.deepEqual(shown({ last: ".5", open: "+1." }), [".5", "−0.5", "−50.00%", -1, 0]);
});

test("the middle of bid and ask is exact for numbers and strings alike", () => {
  const middle = (bid, ask) => quoteOf({ bid, ask }).last;
  assert.equal(middle(0.00000001, 0.00000003), "0.000000020");
  assert.equal(middle("1E-8", "3E-8"), "0.000000020");
  assert.equal(middle("1E-8", 0.00000002), "0.000000015");
  assert.equal(middle("0.00000001", "0.00000003"), "0.000000020");
  assert.equal(middle("1e-300", "2e-300"), "15e-301");
  assert.equal(middle("1E+3", "1001"), "1000.5");
  assert.equal(middle("99999999999999999999.1", "99999999999999999999.3"), "99999999999999999999.20");
  assert.equal(middle("-0", "0"), "0.0");
  for (const odd of ["1e999999999", "x", "1e", "", null, "0x10", "Infinity", "9".repeat(401)]) assert.equal(middle(odd, "1"), "–", odd);
});
