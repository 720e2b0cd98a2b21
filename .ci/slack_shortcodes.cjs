// Writes the table of shortcodes that shortcode.rs looks up: node .ci/slack_shortcodes.cjs MODULES > shared/flock-slack/src/shortcodes.txt,
// where MODULES is a node_modules folder with emoji-datasource 16.0.0 (MIT, Cal Henderson), which has Slack's own names. What it
// prints on the other stream is the digest of all names in all tones, by the data alone, which the tests of shortcode.rs hold.
//
// A line is a name and, after a blank, its characters and who takes tones: `1` one person, `2` two people. Where two people have
// another form than one character, that form is the last word. `name =other` is another name of the same.
'use strict';
const crypto = require('crypto');
const path = require('path');

const data = require(path.join(path.resolve(process.argv[2]), 'emoji-datasource/emoji.json'));
const characters = (codes) => String.fromCodePoint(...codes.split('-').map((code) => parseInt(code, 16)));
const TONES = { 2: '1F3FB', 3: '1F3FC', 4: '1F3FD', 5: '1F3FE', 6: '1F3FF' };
const names = [];
for (const emoji of data) {
  const [first, ...others] = emoji.short_names;
  if (first !== emoji.short_name) throw new Error(`${first} is not the first name`);
  const skins = emoji.skin_variations || {};
  const pair = skins['1F3FB-1F3FC'];
  let line = characters(emoji.unified);
  if (skins[TONES[2]]) line += ' 1';
  else if (pair) line += ' 2';
  if (skins[TONES[2]] && pair) line += ` ${characters(pair.unified).replace(/[🏻-🏿]/gu, '')}`;
  names.push([first, line, emoji], ...others.map((other) => [other, `=${first}`, emoji]));
}
names.sort(([one], [other]) => (one < other ? -1 : 1));
process.stdout.write(names.map(([name, line]) => `${name} ${line}\n`).join(''));

const digest = crypto.createHash('sha256');
for (const [name, , { unified, skin_variations: skins = {} }] of names) {
  if (!/^[a-z0-9_+-]{1,64}$/.test(name)) throw new Error(`${name} has other characters`);
  digest.update(`:${name}: ${characters(unified)}\n`);
  for (const [tone, code] of Object.entries(TONES)) {
    const one = skins[code] || skins[`${code}-${code}`];
    if (one) digest.update(`:${name}::skin-tone-${tone}: ${characters(one.unified)}\n`);
    for (const [other, otherCode] of Object.entries(TONES)) {
      const two = skins[`${code}-${otherCode}`] || (tone === other && skins['1F3FB-1F3FC'] && skins[code]);
      if (two) digest.update(`:${name}::skin-tone-${tone}-${other}: ${characters(two.unified)}\n`);
    }
  }
}
process.stderr.write(`${digest.digest('hex')}\n`);
