// What `make lint-web` asks of web/ and of the page tests, beside the types that tsconfig.json checks.
import js from "@eslint/js";
import globals from "globals";

const rules = {
  eqeqeq: ["error", "always", { null: "ignore" }],
  "no-eval": "error",
  "no-implicit-globals": "error",
  "no-self-compare": "error",
  "no-template-curly-in-string": "error",
  "no-throw-literal": "error",
  "no-unmodified-loop-condition": "error",
  "no-unused-private-class-members": "error",
  "no-useless-assignment": "error",
  "no-var": "error",
  "object-shorthand": "error",
  "prefer-const": ["error", { destructuring: "all" }],
};

export default [
  js.configs.recommended,
  { rules, linterOptions: { reportUnusedDisableDirectives: "error" } },
  { files: ["web/**", "examples/**"], languageOptions: { globals: globals.browser } },
  { files: ["tests/page/**"], languageOptions: { globals: { ...globals.node, ...globals.browser } } },
  { files: ["scripts/**"], languageOptions: { globals: globals.node } },
  { files: ["tests/page/helpers.js"], languageOptions: { globals: { row: "readonly", topics: "readonly", cell: "readonly", part: "readonly" } } },
  { ignores: ["**/node_modules/", "build/", ".venv/", "web/dist/", "web/types/", "web/vendor/"] },
];
