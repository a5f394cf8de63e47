// Prints the scripts named in the arguments, without comments and laid out anew, as a JSON array.
import { readFileSync } from "node:fs";
import ts from "typescript";

const compilerOptions = { allowJs: true, removeComments: true, target: "ESNext", module: "ESNext" };
const codes = process.argv.slice(2).map((path) => ts.transpileModule(readFileSync(path, "utf8"), { compilerOptions }).outputText);
process.stdout.write(JSON.stringify(codes));
