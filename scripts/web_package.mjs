// The npm package tickwire, made from web/.
//
//   node scripts/web_package.mjs check          the budgets of the bundles; ends with 1 where one is exceeded (`make lint-web`)
//   node scripts/web_package.mjs write FOLDER   FOLDER/dist: one ES module, one classic script (globalThis.tickwire), with their SRI
//                                               hashes; FOLDER/types: the types, made from JSDoc
//
// The tools are those of tests/page (`make page-tools`). Nothing here is needed to build or to install tickwire.
import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";

const HERE = dirname(fileURLToPath(import.meta.url));
const WEB = join(HERE, "../web");
const TOOLS = join(HERE, "../tests/page");
const { build } = createRequire(join(TOOLS, "package.json"))("esbuild");

// Bytes of the minified bundle, gzipped: what a page loads that imports this and nothing else.
const BUDGETS = [
  ["the client", "index.js", 7 * 1024],
  ["the client and <tick-er>", "tick_er.js", 13.75 * 1024],
  ["all elements", "tickwire.js", 18.3 * 1024],
  ["useTopic, without the client", "react.js", 1024, ["react", "./share.js"]],
];

/** The style sheets in the scripts, without what a browser does not need. */
const shortCss = {
  name: "short css",
  setup: ({ onLoad }) =>
    onLoad({ filter: /web.[a-z_]+\.js$/ }, ({ path }) => {
      const squeeze = (_, head, css) => `${head}${css.replace(/\s+/g, " ").replace(/ ?([{};,]) ?/g, "$1").replaceAll(": ", ":").replaceAll(";}", "}")}\``;
      return { contents: readFileSync(path, "utf8").replace(/(const (?:\w+_)?(?:STYLE|BASE) = `)([^`]*)`/g, squeeze), loader: "js" };
    }),
};

/** A module and all that it imports, minified: the bytes of a page's first load. What is fetched on demand is not among them, unless all is to be one file. */
async function bundle(entry, options = {}) {
  const splits = options.format ? {} : { splitting: true };
  const { outputFiles, metafile } = await build({ entryPoints: [join(WEB, entry)], bundle: true, minify: true, format: "esm", target: "es2022", write: false, metafile: true, outdir: WEB, absWorkingDir: WEB, legalComments: "none", logLevel: "error", plugins: [shortCss], ...splits, ...options });
  const loaded = new Set([entry]);
  for (const name of loaded) for (const { path, kind } of metafile.outputs[name].imports) if (kind === "import-statement" && path in metafile.outputs) loaded.add(path);
  return Buffer.concat([...loaded].map((name) => outputFiles.find(({ path }) => path === join(WEB, name)).contents));
}

async function check() {
  let exceeded = 0;
  for (const [name, entry, bytesMax, external = []] of BUDGETS) {
    const bytes = gzipSync(await bundle(entry, { external }), { level: 9 }).length;
    exceeded += Number(bytes > bytesMax);
    console.log(`${bytes > bytesMax ? "too large" : "ok"}: ${name}: ${bytes} bytes gzipped, at most ${bytesMax}`);
  }
  return exceeded ? 1 : 0;
}

async function write(folder) {
  const [dist, types] = ["dist", "types"].map((name) => join(folder, name));
  for (const made of [dist, types]) rmSync(made, { recursive: true, force: true });
  mkdirSync(dist, { recursive: true });
  // A classic script has no address of its own to find its server by, but it knows its element while it runs.
  const classic = { format: "iife", globalName: "tickwire", define: { "import.meta.url": "tickwireUrl" }, banner: { js: "(()=>{var tickwireUrl=document.currentScript?.src??location.href;" }, footer: { js: "globalThis.tickwire=tickwire;})();" } };
  for (const [name, options] of [["tickwire.js", { format: "esm" }], ["tickwire.classic.js", classic]]) {
    const bytes = await bundle("tickwire.js", options);
    writeFileSync(join(dist, name), bytes);
    const integrity = `sha384-${createHash("sha384").update(bytes).digest("base64")}`;
    console.log(`${name}: ${bytes.length} bytes, ${gzipSync(bytes, { level: 9 }).length} gzipped, integrity="${integrity}"`);
  }
  execFileSync(join(TOOLS, "node_modules/.bin/tsc"), ["--project", TOOLS, "--noEmit", "false", "--declaration", "--emitDeclarationOnly", "--outDir", types], { stdio: ["ignore", process.stderr, "inherit"] });
}

const [command, folder = "."] = process.argv.slice(2);
if (command === "check") process.exitCode = await check();
else if (command === "write") await write(resolve(folder));
else throw new Error(`not a command: ${command}; see the comment at the top of this file`);
