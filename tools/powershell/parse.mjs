// Parses PowerShell scripts with the grammar tree-sitter-powershell and prints file:line:column of
// all that is no PowerShell to it. It knows syntax only: not whether a command exists.
//
// Usage: node parse.mjs MODULES FILE…, where MODULES is the directory that has node_modules.
// Exits 1 if a script does not parse, 2 if it cannot tell.

import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { resolve } from 'node:path';

const INCOMPLETE = 'function Get-Answer {\n  if ($true) {\n    42\n}\n';
const SHOWN_MAX = 60;

async function powershellParser(modules) {
  const packages = createRequire(resolve(modules, 'package.json'));
  const { Language, Parser } = packages('web-tree-sitter');
  await Parser.init();
  const parser = new Parser();
  const grammar = packages.resolve('tree-sitter-powershell/tree-sitter-powershell.wasm');
  parser.setLanguage(await Language.load(grammar));
  return parser;
}

// The outermost first; what is whole is not gone into.
function* faultsBelow(node) {
  if (node.isError || node.isMissing) yield node;
  for (const child of node.children) {
    if (child.hasError) yield* faultsBelow(child);
  }
}

function describe(file, node) {
  const { row, column } = node.startPosition;
  const what = node.isMissing ? `MISSING ${node.type}` : 'ERROR';
  const text = node.text.split('\n', 1)[0].slice(0, SHOWN_MAX).trimEnd();
  return `${file}:${row + 1}:${column + 1}: ${what}${text ? `: ${text}` : ''}`;
}

function faultsOf(parser, text) {
  const { rootNode } = parser.parse(text);
  return rootNode.hasError ? [...faultsBelow(rootNode)] : [];
}

async function main([modules, ...files]) {
  if (!files.length) throw new Error('usage: node parse.mjs MODULES FILE…');
  const parser = await powershellParser(modules);
  // A parser that takes everything proves nothing.
  if (!faultsOf(parser, INCOMPLETE).length) throw new Error('a missing brace goes unnoticed');
  let broken = 0;
  for (const file of files) {
    const faults = faultsOf(parser, readFileSync(file, 'utf8').replace(/^\uFEFF/, ''));
    for (const fault of faults) console.log(describe(file, fault));
    if (faults.length) broken += 1;
  }
  console.log(`${files.length} PowerShell files parsed, ${broken} with errors`);
  return broken ? 1 : 0;
}

main(process.argv.slice(2)).then(
  (status) => { process.exitCode = status; },
  (error) => { console.error(`parse.mjs: ${error.message}`); process.exitCode = 2; },
);
