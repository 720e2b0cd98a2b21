// Draws as many texts by npm's library, twice, and prints the milliseconds of the second time: node grammar_peer.cjs FOLDER GRAMMAR COUNT.
'use strict';
const fs = require('fs');
const path = require('path');

const [folder, file, count] = process.argv.slice(2);
const tracery = require(path.join(folder, 'node_modules/tracery-grammar'));
const grammar = tracery.createGrammar(JSON.parse(fs.readFileSync(file, 'utf8')));
grammar.addModifiers(tracery.baseEngModifiers);
function draw() {
  const start = process.hrtime.bigint();
  for (let n = 0; n < Number(count); n++) {
    if (!grammar.flatten('#origin#')) throw new Error('nothing was drawn');
  }
  return Number(process.hrtime.bigint() - start) / 1e6;
}
draw();
process.stdout.write(`${draw()}\n`);
