// Writes what x_text.rs looks up into DIR: node .ci/x_text_data.cjs MODULES DIR, where MODULES is a node_modules folder with
// twitter-text 3.1.0 (Apache-2.0) and twemoji-parser 11.0.2 (MIT). Facts only: which names are top-level domains, and, by asking
// the parser about every character, which emoji are one. .ci/x_text_test.sh compares what is committed with what this writes.
'use strict';
const fs = require('fs');
const path = require('path');

const [modules, dir] = process.argv.slice(2).map((argument) => path.resolve(argument));
const { parse } = require(path.join(modules, 'twemoji-parser'));

// Top-level domains.

const names = (file) => {
  const { source } = require(path.join(modules, 'twitter-text/dist/regexp', file));
  return source.slice(source.lastIndexOf('(?:', source.indexOf('|')) + 3, source.indexOf(')')).split('|');
};
const tlds = [...names('validGTLD'), ...names('validCCTLD')];
tlds.forEach((short, at) => {
  const hidden = tlds.slice(at + 1).find((long) => long !== short && long.startsWith(short) && !/^[0-9a-z@+-]/i.test(long.slice(short.length)));
  // x_text.rs takes the longest; the library takes the first of its list.
  if (hidden) throw new Error(`${short} comes before ${hidden}`);
  if (short !== short.normalize().toLowerCase()) throw new Error(`${short} is not normal`);
});
const bytes = (text) => Buffer.from(text);
fs.writeFileSync(path.join(dir, 'tlds.txt'), [...new Set(tlds)].sort((a, b) => Buffer.compare(bytes(a), bytes(b))).join('\n') + '\n');

// Emoji.

const VARIATION = '\ufe0f';
const JOINER = '\u200d';
const SKINS = ['🏻', '🏼', '🏽', '🏾', '🏿'];
const isOne = (...parts) => {
  const text = parts.join('');
  const [first] = parse(text);
  return first !== undefined && first.indices[0] === 0 && first.indices[1] === text.length;
};
const characters = [];
// There are none above.
for (let code = 0; code < 0x20000; code++) {
  if (code < 0xd800 || 0xdfff < code) characters.push(String.fromCodePoint(code));
}
const assertSame = (what, one, other) => {
  if (one.join() !== other.join()) throw new Error(`${what}: ${one.join(' ')} | ${other.join(' ')}`);
};

const variation = characters.filter((c) => isOne(c, VARIATION));
const skin = characters.filter((c) => isOne(c, SKINS[0]));
const both = variation.filter((c) => skin.includes(c));
const genders = ['♀', '♂'].map((sign) => JOINER + sign + VARIATION);
const gender = characters.filter((c) => [c, c + VARIATION, c + SKINS[0]].some((start) => isOne(start, genders[0])));
const people = characters.filter((c) => isOne(c, JOINER, '🚀'));

// What x_text.rs takes for granted.
for (const tone of SKINS) {
  assertSame(`skin ${tone}`, skin, characters.filter((c) => isOne(c, tone)));
  assertSame(`skin after variation ${tone}`, both, characters.filter((c) => isOne(c, VARIATION, tone)));
  assertSame(`people ${tone}`, people, characters.filter((c) => isOne(c, tone, JOINER, '🚀')));
}
for (const sign of genders) {
  assertSame('gender', gender.filter((c) => !variation.includes(c)), characters.filter((c) => isOne(c, sign)));
  assertSame('gender, skin', gender.filter((c) => skin.includes(c)), characters.filter((c) => isOne(c, SKINS[0], sign)));
  assertSame('gender, variation', gender.filter((c) => variation.includes(c)), characters.filter((c) => isOne(c, VARIATION, sign)));
}
assertSame('people', people, ['👨', '👩']);
assertSame('keycaps', [...'#*0123456789'], characters.filter((c) => isOne(c, '\u20e3')));
assertSame('keycaps', [...'#*0123456789'], characters.filter((c) => isOne(c, VARIATION, '\u20e3')));

// `things` are what a man or a woman can be joined with, whatever the skin.
const things = characters
  .flatMap((c) => [c, c + VARIATION])
  .filter((thing) => people.every((person) => ['', ...SKINS].every((tone) => isOne(person, tone, JOINER, thing))));

// `joined` are the other sequences: those in the parser's expression, made of literal characters and, at the end, of sets.
const expression = require(path.join(modules, 'twemoji-parser/dist/lib/regex')).default.source;
const literal = (escaped) => escaped.replace(/\\u([0-9a-f]{4})/g, (_, hex) => String.fromCharCode(parseInt(hex, 16)));
const joined = expression
  .split(/\(\?:|[|()]/)
  .filter((part) => /^(\\u[0-9a-f]{4})+(\[[^\]]+\])?$/.test(part) && /\\u200d|\\udb40/.test(part))
  .flatMap((part) => {
    const [, start, set] = part.match(/^([^[]+)(?:\[(.+)\])?$/);
    const last = set ? set.match(/\\u[0-9a-f]{4}/g) : [''];
    if (set && set.includes('-')) throw new Error(`a range in ${part}`);
    return last.map((end) => literal(start + end));
  })
  .filter((sequence) => !gender.some((c) => sequence.startsWith(c + JOINER)));
// A sequence comes before what it begins with.
joined.sort((a, b) => b.length - a.length || (a < b ? -1 : 1));
for (const sequence of joined) if (!isOne(sequence)) throw new Error(`not one: ${sequence}`);

const letters = [...'ABCDEFGHIJKLMNOPQRSTUVWXYZ'];
const regional = (letter) => String.fromCodePoint(0x1f1e6 + letter.charCodeAt(0) - 65);
const flags = letters.flatMap((a) => letters.map((b) => a + b)).filter(([a, b]) => isOne(regional(a), regional(b)));

const hex = (code) => code.toString(16);
const bounds = (set) => {
  // Where the set begins and ends, in turn.
  const out = [];
  for (const code of set.map((c) => c.codePointAt(0))) {
    if (out.at(-1) === code) out[out.length - 1] = code + 1;
    else out.push(code, code + 1);
  }
  return out.map((code) => `0x${hex(code)},`).join(' ');
};
const strings = (set) => set.map((s) => `"${[...s].map((c) => `\\u{${hex(c.codePointAt(0))}}`).join('')}",`).join('\n');
fs.writeFileSync(path.join(dir, 'emoji.rs'), `//! Which emoji X counts as one. Written by \`.ci/x_text_data.cjs\`, which asks twemoji-parser 11.0.2
//! (MIT, Copyright (c) 2018 Twitter, Inc.) about every character.

use super::Set;

/// Those that a variation selector belongs to.
pub(super) const WITH_VARIATION: Set = Set(&[${bounds(variation)}]);

/// Those that a skin tone belongs to.
pub(super) const WITH_SKIN: Set = Set(&[${bounds(skin)}]);

/// Those that a woman's or a man's sign can be joined to.
pub(super) const WITH_GENDER: Set = Set(&[${bounds(gender)}]);

/// What a man or a woman can be joined with.
pub(super) const THINGS: &[&str] = &[
${strings(things)}
];

/// Other sequences; a longer one comes before what it begins with.
pub(super) const SEQUENCES: &[&str] = &[
${strings(joined)}
];

/// Pairs of letters that are a flag.
pub(super) const FLAGS: &str = "${flags.join(' ')}";
`);
