// Draws texts by Tracery's own library and by ours, the example `draw`, and tells every difference: node .ci/grammar_peer.cjs MODULES
// DRAW FOLDER NUMBER SEED, where MODULES is a node_modules folder with tracery-grammar 2.8.4 (ISC). Compared are the grammars of
// tests/grammars and as many generated ones as make NUMBER, which are written into FOLDER.
//
// Both get the same random numbers, so that each draw has to be the same text, to the letter. Where a language is small, all its texts
// are found, by trying every choice in the library, and ours have to be the same set. Where the library shows a fault of its own
// (`((symbol))`, or it throws), nothing is compared; what else it does otherwise is FAULTS, which is held, too.
'use strict';
const fs = require('fs');
const path = require('path');
const { spawnSync } = require('child_process');

const [modules, program, folder, number, seed] = process.argv.slice(2);
const tracery = require(path.resolve(modules, 'tracery-grammar'));
// `firstS` prints what it is given.
console.log = () => {};
const say = (line) => process.stdout.write(`${line}\n`);

const DRAWS = 10000;
// So many choices are tried before a language is large, and so unlikely is a text that is not waited for.
const MOST_TEXTS = 2000;
const LEAST_LIKELY = 1 / 5000;
// Of texts of this likelihood one is missed once in 10^13 runs.
const WAITED = 30;

// What the library does otherwise, and what we say: a rule, its text there, and ours. `refused`: the file is.
const FAULTS = [
  ['#lost#', '((lost))', 'refused'],
  ['#a.shout#', 'cow((.shout))', 'refused'],
  ['##x', '((undefined))x', 'refused'],
  ['#[k:v]#', '((undefined))', 'refused'],
  ['#a[k:v]b#', 'throws', 'refused'],
  ['We are #1', 'We are 1', 'refused'],
  [':] #a#', ':] #a#', 'refused'],
  ['[k:POP]', 'throws', 'refused'],
  ['#origin#', 'throws', 'refused'],
  ['#a.replace(c)#', 'undefinedow', 'refused'],
  ['[k:v]#[k:w]a# [k:POP][k:POP]#k#', 'cow ((k))', 'refused'],
  ['[a:POP]#a#', '((a))', 'cow'],
  ['[a:ewe][a:POP][a:POP]#a#', '((a))', 'cow'],
  ['[at:10:30]#at#', '10', '10:30'],
  ['[k:#a.replace(c,b)#]#k#', 'a.replace(c', 'bow'],
  ['[k:\\,]#k#', null, ','],
  ['[k:#[m:x]a##m#]#k#', 'm', 'refused'],
  ['[k:#[m:x]a#]#k#', 'm', 'cow'],
  ['\\\\a\\\\b', 'a\\b', '\\a\\b'],
  ['#a.replace(c,$&$&)#', 'ccow', '$&$&ow'],
  ['#play.ed#', 'playd', 'played'],
  ['#a.firstS#!', 'cows !', 'cows!'],
  ['#ete.capitalizeAll#', 'éTé', 'Été'],
  ['a\\', null, 'a\\'],
];

// The numbers of Dice (dice.rs): those of a seed, from 0 to 1.
let state = 0n;
const MASK = (1n << 64n) - 1n;
function splitmix() {
  state = (state + 0x9e3779b97f4a7c15n) & MASK;
  let mixed = state;
  mixed = ((mixed ^ (mixed >> 30n)) * 0xbf58476d1ce4e5b9n) & MASK;
  mixed = ((mixed ^ (mixed >> 27n)) * 0x94d049bb133111ebn) & MASK;
  return Number((mixed ^ (mixed >> 31n)) >> 11n) / 2 ** 53;
}

const FAULT = Symbol('fault');
// What the library says, as our posts are: without white space around it; null where there is nothing then.
function theirs(raw) {
  const grammar = tracery.createGrammar(raw);
  grammar.modifiers = tracery.baseEngModifiers;
  let text;
  try {
    text = grammar.flatten('#origin#');
  } catch {
    return FAULT;
  }
  if (text.includes('((') || Buffer.byteLength(text) > 3700) return FAULT;
  return text.trim() || null;
}

function ours(file, ...how) {
  const done = spawnSync(program, [file, ...how.map(String)], { encoding: 'utf8', maxBuffer: 1 << 30 });
  return done.status === 0 ? done.stdout.trimEnd().split('\n').map((line) => JSON.parse(line)) : done.stderr;
}

// Every text with its likelihood; undefined where there are too many.
const { selectRule } = tracery.RuleSet.prototype;
function everyText(raw) {
  const texts = new Map();
  let choices = [];
  for (let tried = 0; tried < MOST_TEXTS; tried++) {
    let at = 0;
    let likely = 1;
    tracery.RuleSet.prototype.selectRule = function (errors) {
      const { length } = this.defaultRules;
      if (at === choices.length) choices.push({ chosen: 0, length });
      const { chosen } = choices[at++];
      likely /= length;
      tracery.setRng(() => (chosen + 0.5) / length);
      return selectRule.call(this, errors);
    };
    const text = theirs(raw);
    tracery.RuleSet.prototype.selectRule = selectRule;
    if (text === FAULT) return undefined;
    texts.set(text, (texts.get(text) ?? 0) + likely);
    while (choices.length && choices.at(-1).chosen + 1 === choices.at(-1).length) choices.pop();
    if (!choices.length) return texts;
    choices.at(-1).chosen += 1;
  }
  return undefined;
}

// Mulberry32: the same numbers from the same seed, everywhere.
let generated = Number(seed);
function random() {
  generated = (generated + 0x6d2b79f5) | 0;
  let t = Math.imul(generated ^ (generated >>> 15), 1 | generated);
  t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
  return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
}
const below = (n) => Math.floor(random() * n);
const one = (list) => {
  const found = list[below(list.length)];
  return typeof found === 'function' ? found() : found;
};
const some = (most, make, least = 1) => Array.from({ length: least + below(most - least + 1) }, make);

// A grammar of words, phrases of them, keys that are set, and setters, which say nothing. What FAULTS are about is left out.
function generate() {
  const isAscii = random() < 0.5;
  const size = one([1, 2, 2, 3, 5]);
  const WORDS = ['owl', 'unicorn', 'cat', 'fox', 'bush', 'glass', 'fly', 'penny', 'tape', 'U2', 'Ewe', 'i', 'x', 'one-off', 'hush hush', 'old egg', '10%', 'a.b', "don't", '(so)', 'e:f', '"q"', 'say 1, 2', ''];
  const OTHERS = ['élan', 'über', 'ñ', '🐑', '日本', 'ß', 'naïve owl', '👩‍🌾', 'İ', 'ǆ'];
  const word = () => (isAscii || random() < 0.6 ? one(WORDS) : one(OTHERS));
  const raw = {};
  const words = some(4, () => 0).map((_, n) => `w${n}`);
  const keys = ['k', 'key two', 'w0'];
  const modifiers = ['a', 'capitalize', 's', 'ed', 'replace(a,o)', 'replace(e,)', 'replace( ,-)', 'replace(o,\\#)'];
  if (isAscii) modifiers.push('capitalizeAll');
  const modified = () => (random() < 0.5 ? '' : some(2, () => one(modifiers)).map((name) => `.${name}`).join(''));
  // One escape in a tag is as many as the library reads.
  const tag = (names) => {
    const written = modified();
    return `#${one(names)}${written.split('\\').length > 2 ? '' : written}#`;
  };
  const value = () => one([() => one(['ram', 'ewe lamb', 'tup']), () => `#${one(words)}#`, () => `${one(['my', 'no'])} #${one(words)}#`]);
  const set = () => `[${one(keys)}:${some(3, value).join(',')}]`;
  for (const name of words) raw[name] = some(size + 1, word);
  raw.phrase = ['cup of tea', 'fly in a box', 'bush of fire'].slice(0, size);
  raw.setter = some(2, () => `[k:${some(3, value).join(',')}]${random() < 0.5 ? set() : ''}`);
  // Each comes from those before it, or now and then from itself.
  const names = [...words];
  for (let n = 0; n < below(4); n++) {
    const name = `p${n}`;
    raw[name] = some(size, () => some(3, () => one([word, () => tag(names), () => tag(names), ' ', '\n'])).join(''));
    if (random() < 0.2) raw[name].push(`#${name}#!`, '.', '?');
    names.push(name);
  }
  const piece = () =>
    one([
      word, ' ', ', ', '; ', () => tag(names), () => tag(names), () => tag(names), '#phrase.firstS#', '#phrase.firstS.capitalize#',
      () => `#${set()}${one(names)}#`, () => { const key = one(keys); return `#[${key}:${value()}]${key}${modified()}#`; },
      () => { const key = one(keys); return `[${key}:${some(2, value).join(',')}]#${key}# #${key}.a#`; },
      () => { const key = one(keys); return `[${key}:${value()}][${key}:${value()}]#${key}#[${key}:POP]#${key}#`; },
      () => `#[#setter#]${one(names)}#`, '[#setter#]#k#', '[#setter#]', () => `[${word().replace(/[:#[\]]/g, '')}]`,
      '\\#', '\\[', '\\]', '\\#tag', () => `<${word()}>`, () => `#${set()}${set()}${one(names)}${modified()}#`,
    ]);
  raw.origin = some(size, () => some(5, piece).join('').replace(/(#[^#]*\\#[^#]*)\\#/g, '$1'));
  // A rule by itself may be a text.
  for (const name of Object.keys(raw)) if (raw[name].length === 1 && random() < 0.5) [raw[name]] = raw[name];
  return raw;
}

const own = path.join(__dirname, '../tests/grammars');
const files = fs.readdirSync(own).filter((name) => name.endsWith('.json')).sort().map((name) => path.join(own, name));
const written = files.length;
let failed = 0;
function fail(line) {
  failed += 1;
  if (failed <= 40) say(`  ${line}`);
}

tracery.setRng(() => 0);
for (const [index, [origin, there, here]] of FAULTS.entries()) {
  const raw = { origin, a: ['cow'], play: ['play'], ete: ['été'] };
  const grammar = tracery.createGrammar(raw);
  grammar.modifiers = tracery.baseEngModifiers;
  let text;
  try {
    text = grammar.flatten('#origin#') || null;
  } catch {
    text = 'throws';
  }
  const file = path.join(folder, `fault-${index}.json`);
  fs.writeFileSync(file, JSON.stringify(raw));
  const drawn = ours(file, 1, 0);
  const said = typeof drawn === 'string' ? 'refused' : drawn[0];
  if (text !== there) fail(`${origin}: the library says ${JSON.stringify(text)}, and not ${JSON.stringify(there)}`);
  if (said !== here) fail(`${origin}: we say ${JSON.stringify(said)}, and not ${JSON.stringify(here)} ${typeof drawn === 'string' ? drawn : ''}`);
}

// What we refuse is to say nothing there either, or only what is none.
function tellRefused(raw, why) {
  tracery.setRng(splitmix);
  state = BigInt(seed);
  const said = Array.from({ length: 500 }, () => theirs(raw)).find((text) => text !== FAULT && text !== null);
  if (said === undefined) refused += 1;
  else fail(`${why.trim()}, and there it says ${JSON.stringify(said)}`);
}

const count = { whole: 0, texts: 0, draws: 0, faults: 0 };
let refused = 0;
for (let n = 0; n < Number(number); n++) {
  let file = files[n];
  if (file === undefined) {
    file = path.join(folder, `${n}.json`);
    fs.writeFileSync(file, JSON.stringify(generate(), null, 1));
  }
  const raw = JSON.parse(fs.readFileSync(file, 'utf8'));
  const texts = everyText(raw);
  const least = texts && Math.min(...texts.values());
  const isSmall = texts !== undefined && least >= LEAST_LIKELY;
  if (isSmall) {
    const here = ours(file, 'distinct', Math.ceil(WAITED / least), seed);
    if (typeof here === 'string') {
      tellRefused(raw, here);
      continue;
    }
    const found = new Set(here);
    const before = failed;
    for (const text of texts.keys()) if (!found.has(text)) fail(`${file}: we never say ${JSON.stringify(text)}`);
    for (const text of found) if (!texts.has(text)) fail(`${file}: only we say ${JSON.stringify(text)}`);
    if (failed === before) {
      count.whole += 1;
      count.texts += texts.size;
    }
  }
  const draws = isSmall ? DRAWS / 20 : DRAWS;
  const here = ours(file, draws, seed);
  if (typeof here === 'string') {
    tellRefused(raw, here);
    continue;
  }
  tracery.setRng(splitmix);
  for (let draw = 0; draw < draws; draw++) {
    state = (BigInt(seed) + BigInt(draw)) & MASK;
    const there = theirs(raw);
    if (there === FAULT) count.faults += 1;
    else if (there !== here[draw]) {
      fail(`${file}, seed ${Number(seed) + draw}: ${JSON.stringify(there)} there, ${JSON.stringify(here[draw])} here`);
      break;
    } else count.draws += 1;
  }
}
say(
  `${number} grammars, ${written} of them written by hand: ${count.whole} small ones have the same ${count.texts} texts, ${refused} none on either side; ` +
    `${count.draws} draws are the same, ${count.faults} are faults of the library` +
    (failed ? `; ${failed} differences` : `; ${FAULTS.length} differences are as they are known`),
);
process.exit(failed ? 1 : 0);
