// Texts to count, and what the official library counts: node .ci/x_text_peer.cjs MODULES texts NUMBER SEED writes a text as
// JSON on each line; `... MODULES count` reads them and writes `LENGTH LINKS` on each line, as the example x_length does.
'use strict';
const path = require('path');
const readline = require('readline');

const [modules, mode, number, seed] = process.argv.slice(2);
const library = (name) => require(path.resolve(modules, name));

// Mulberry32: the same numbers from the same seed, everywhere.
let state;
function random() {
  state = ((state ?? Number(seed)) + 0x6d2b79f5) | 0;
  let t = Math.imul(state ^ (state >>> 15), 1 | state);
  t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
  return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
}
function below(n) {
  return Math.floor(random() * n);
}
function one(list) {
  const found = list[below(list.length)];
  return typeof found === 'function' ? found() : found;
}
function some(most, make, between = '') {
  return Array.from({ length: 1 + below(most) }, make).join(between);
}
function maybe(part, share = 0.5) {
  return random() < share ? (typeof part === 'function' ? part() : part) : '';
}
function between(first, last) {
  return String.fromCodePoint(first + below(last - first + 1));
}
function mixedCase(text) {
  return [...text].map((c) => (random() < 0.5 ? c.toUpperCase() : c.toLowerCase())).join('');
}

function names(file) {
  const { source } = library(`twitter-text/dist/regexp/${file}`);
  return source.slice(source.lastIndexOf('(?:', source.indexOf('|')) + 3, source.indexOf(')')).split('|');
}
function lists() {
  lists.tlds ??= [...names('validGTLD'), ...names('validCCTLD')];
  lists.foreign ??= lists.tlds.filter((name) => /[^a-z]/.test(name));
  return lists;
}

function letters() {
  return some(9, () => between(0x61, 0x7a));
}
function word() {
  return one([
    letters, letters, letters,
    () => one(['a', 'The', 'sheep', 'I', "don't", 'well-known', 'e.g.', 'U.S.', '3.14', '10:30', '50%', 'snake_case', 'foo.bar', 'and/or', 'v1.2.3']),
    () => some(5, () => between(0x30, 0x39)),
    () => some(6, () => between(0xc0, 0x24f)),
    () => some(6, () => between(0x370, 0x3ff)),
    () => some(6, () => between(0x400, 0x4ff)),
    () => some(6, () => between(0x4e00, 0x9fff)),
    () => some(6, () => between(0x3041, 0x30fe)),
    () => some(6, () => between(0xac00, 0xd7a3)),
    () => some(6, () => between(0x1100, 0x11ff)),
    () => some(6, () => between(0x5d0, 0x5ea)),
    () => some(6, () => between(0x620, 0x64a) + maybe(() => between(0x64b, 0x655), 0.3)),
    () => some(6, () => between(0x905, 0x939) + maybe(() => between(0x93e, 0x94d))),
    () => some(6, () => between(0xe01, 0xe3a)),
    () => some(4, () => between(0x61, 0x7a) + some(3, () => between(0x300, 0x36f))),
    () => some(4, () => between(0x1e00, 0x1fff)),
    () => some(3, () => between(0x10000, 0x1ffff)),
    () => some(3, () => between(0x20000, 0x2ffff)),
    () => some(3, () => between(0x2000, 0x2fff)),
    () => some(3, () => between(0xf900, 0xffff)),
    () => some(4, () => between(0x20, 0x7e)),
  ]);
}
function label() {
  return one([
    letters, letters, letters, letters, letters,
    () => letters() + one(['-', '_', '--', '-_']) + letters(),
    () => maybe(one(['-', '_']), 0.2) + letters() + maybe(one(['-', '_']), 0.2),
    () => some(3, () => between(0x30, 0x39)),
    () => 'xn--' + letters(),
    () => 'xn--' + word(),
    word,
    emoji,
    () => one(['münchen', 'café', 'éèê', 'привет', '日本語', '例え', 'a。b', 'ß', 'ΑΒΓ', 'a"b', 'a`b', 'ı', 'ſ', 'K', '👍', 'ª']),
    () => letters().repeat(1 + below(16)),
    () => between(0x4e00, 0x9fff).repeat(1 + below(70)),
    () => some(40, () => one([() => between(0x61, 0x7a), () => between(0xe0, 0xff), () => between(0x4e00, 0x4e20), () => between(0x1f600, 0x1f640)])),
    () => letters() + one(['\u200b', '\u200c', '\u200d', '\u00ad', '\u0000', '\u007f', '\u200e', '\u202a', '\ufeff', '\u00a0']) + letters(),
  ]);
}
function tld() {
  return one([
    'com', 'com', 'org', 'co', 'co.uk', 'io', 'de', 'jp', 'tv',
    () => one(lists().tlds), () => one(lists().tlds), () => one(lists().tlds),
    () => one(lists().foreign),
    () => mixedCase(one(lists().tlds)),
    () => one(lists().tlds) + one([letters, word, emoji, punctuation]),
    () => 'xn--' + letters(),
    () => mixedCase('xn--') + one(['p1ai', '-', '90ae', '', 'é', 'a_b']),
    letters,
    () => one(['ϵυ', 'ᲒᲔ', 'ჰჰ', 'COM', 'Com', 'ком', 'КОМ', 'vermögensberatung', 'VERMÖGENSBERATER', 'local', 'html', 'rs', 'txt', '中国香港', '', '嘉里大酒店', '嘉里大', 'onion', 'bar', 'exe']),
  ]);
}
function domain() {
  return some(3, label, '.') + one(['.', '.', '.', '.', '.', '.', '.', '..', '-', '。', ' .']) + tld();
}
function path_() {
  const part = () => one([
    letters, letters, word, '/', '/', '.', ',', '-', '_', '~', '%20', '=', '+', '&', '|', '!', '*', "'", ';', ':', '$', '#', '[', ']', '@', '–', '—', '(', ')', '((', '))',
    () => `(${letters()})`, () => `(${letters()}(${letters()})${maybe(letters)})`, () => `(${word()})`, '()', '(())', '@a/', () => `@${letters()}/`, '…', '"', '\\', '<', '{',
    () => between(0x400, 0x52f), () => between(0xc0, 0x2af), () => between(0x300, 0x36f), 'ᲀ', 'Ͽ', 'ɐ', 'ʌ', 'ⱥ', 'ß', 'ſ', 'ι', 'K', 'Å', '日本', emoji,
  ]);
  return '/' + maybe(() => some(12, part), 0.85);
}
function query() {
  return '?' + maybe(() => some(8, () => one([letters, letters, '=', '&', '?', '!', '.', ',', '(', ')', '/', '#', '%', '+', ';', ':', '@', "'", '|', '~', '*', '$', '[', ']', '-', '_', '–', 'é', 'ж', '日', emoji])), 0.9);
}
function link() {
  // Around the longest that is a link. The library needs a quarter of a second for each, so there are few.
  if (random() < 0.003) return `${one(['', 'https://'])}example.com/${one(['a', 'é', '%', '日', '(', '-'])}`.padEnd(one([4080, 4088, 4096, 4097, 4100]), one(['a', '.', 'ж']));
  return one([
    () => one(['http://', 'https://', 'https://', 'http://', 'HTTP://', 'Https://', 'hTTps://', '', '', '', '', 'ftp://', 'http:/', 'http//', '//', 'https:', 'mailto:', 'http://http://', 'htt\u017Fs://'])
      + maybe(() => `${letters()}${maybe(':x')}@`, 0.05)
      + domain() + maybe(() => one([':80', ':8080', ':', ':a', ':65536', ':٣', ':80:80']), 0.2) + maybe(path_, 0.5) + maybe(query, 0.25) + maybe(() => `#${word()}`, 0.1),
    () => one(['http://', 'https://', 'HTTPS://', '']) + one(['t.co', 'T.CO', 't.co:80', 'a.t.co', 't.co.uk']) + maybe(() => `/${some(40, () => one([letters, letters, () => between(0x30, 0x39)])).slice(0, 1 + below(60))}`, 0.9) + maybe(path_, 0.3) + maybe(query, 0.3) + maybe(() => one(['.', ',', '!', ')', '日', '-x', '_']), 0.3),
    () => one(['https://192.168.0.1/x', 'http://localhost/x', 'http://[::1]/', 'example.com', 'www.example.com', 'www.example', 'a.b.c', 'index.html', 'x.y', '.com', 'com.', '..com', 'http://.com', 'https://-a.com', 'https://a-.com', 'a_b.com', 'a_.b.com', '_a.com', 'http://a_b.com', 'http://a_b.c.com']),
  ]);
}
function emoji() {
  const person = () => one(['👨', '👩', '👦', '👧', '🧑', '👶']);
  const skin = () => between(0x1f3fb, 0x1f3ff);
  const any = () => one([
    () => between(0x1f300, 0x1f64f), () => between(0x1f300, 0x1f64f), () => between(0x1f680, 0x1f6ff), () => between(0x1f900, 0x1f9ff), () => between(0x1fa70, 0x1faff),
    () => between(0x2600, 0x27bf), () => between(0x2190, 0x21ff), () => between(0x2300, 0x23ff), () => between(0x25a0, 0x25ff), () => between(0x2b00, 0x2bff), () => between(0x1f000, 0x1f2ff),
    '©', '®', '™', '‼', '⁉', 'ℹ', '〰', '〽', '㊗', '㊙', '❤', '♟', '♾', '\ue50a', '⚧', '🏳', '🏴', '👁',
  ]);
  const sign = () => one(['♀', '♂', '⚕', '⚖', '✈', '🚀', '💻', '🌾', '🦰', '🦽', '🎄', '🌈', '☠', '🗨', '⚧', '❤', '💋', '🔥', '🩹', '🐦', '⬛', '🟩']);
  return one([
    any, any, any, any,
    () => any() + one(['\ufe0f', '\ufe0e', '\ufe0f\ufe0f', '\ufe0f\ufe0e']),
    () => any() + skin(),
    () => any() + '\ufe0f' + skin(),
    () => any() + maybe('\ufe0f') + maybe(skin) + '\u200d' + sign() + maybe('\ufe0f', 0.7),
    () => person() + maybe(skin, 0.3) + '\u200d' + sign() + maybe('\ufe0f', 0.7),
    () => some(4, () => person() + maybe(skin, 0.1), '\u200d'),
    () => `${person()}\u200d❤${maybe('\ufe0f', 0.9)}\u200d${maybe('💋\u200d')}${person()}`,
    () => one(['🏳️‍🌈', '🏳‍🌈', '🏴‍☠️', '🏴‍☠', '👁‍🗨', '👁️‍🗨️', '👯‍♀️', '🤼‍♂️', '🧞‍♀️', '🧟🏻‍♂️', '🐕‍🦺', '🐈‍⬛', '🧑‍🤝‍🧑', '🧑🏻‍🤝‍🧑🏿', '👩🏽‍❤️‍👨🏿', '😶‍🌫️', '❤️‍🔥', '🧑‍🧑‍🧒', '🙂‍↔️', '🏃‍♀️‍➡️', '🫱🏻‍🫲🏿', '🫠', '🥹', '🫨', '🪿', '🫩', '🧑‍🎄', '🦸🏿‍♀️', '🕵️‍♀️', '🕵🏻‍♀️', '🕵‍♀️', '⛹🏾‍♂️', '⛹️‍♂️', '🏋️‍♀']),
    () => between(0x1f1e6, 0x1f1ff) + between(0x1f1e6, 0x1f1ff),
    () => some(5, () => between(0x1f1e6, 0x1f1ff)),
    () => one(['🇩🇪', '🇫🇷🇯🇵', '🇦🇩🇪', '🇨🇶', '🇺🇳']),
    () => between(0x1f1e6, 0x1f1ff),
    () => one([...'#*0123456789a©']) + maybe('\ufe0f') + '\u20e3',
    () => one([...'#*0123456789a']) + '\ufe0f',
    () => `🏴${[...one(['gbeng', 'gbsct', 'gbwls', 'gbnir', 'ustx', 'gben', ''])].map((c) => String.fromCodePoint(0xe0000 + c.codePointAt(0))).join('')}${maybe('\u{e007f}', 0.8)}`,
    () => some(3, skin),
    () => one(['\ufe0f', '\ufe0e', '\u200d', '\u20e3']),
  ]);
}
function punctuation() {
  return one([...' \t\n.,;:!?\'"`()[]{}<>/\\|@#$%^&*-_=+~…“”‘’«»„—–·、。「」『』（）！？，．：；＠＃＄％＿｡￥€£¥©®¿¡§¶†‡•‰′″※']);
}
function odd() {
  return one([
    '\u0000', '\u0001', '\u001b', '\u007f', '\u0085', '\u00a0', '\u00ad', '\u061c', '\u1680', '\u180e', '\u2002', '\u200b', '\u200c', '\u200d', '\u200e', '\u200f', '\u2028', '\u2029', '\u202a', '\u202e', '\u202f', '\u205f', '\u2060',
    '\u2066', '\u2069', '\u3000', '\ufeff', '\ufffe', '\uffff', '\ufffd', '\u{1ffff}', '\u{10ffff}', '\ufdd0', '\u0345', '\u0340', '\u0344', '\u0958', '\u2126', '\u212a', '\u212b', '\ufb1d', '\u{1d15e}', '\u1100\u1161\u11a8',
    () => 'e' + some(8, () => between(0x300, 0x36f)),
  ]);
}
// What the rules turn on, in any order.
const PIECES = [
  ...'.../(),:?-_@#$"!;*~%[]=&+|1ao日éжßΕ。 \n\u00a0\u0301\u200d\u200e\u202e\ufe0f\ufe0e\u20e3\ufeff＃＠–',
  'a.co', 'com', '.com', 'co.uk', 'http://', 'https://', 'HTTP://', 't.co/', 'xn--', 'рф', '日本', '中国', ':80', '(a)', '(a(b)c)', '👨', '👩', '👦', '👧', '❤', '♀', '⚕', '🏽', '🏳', '🌈', '🏴', '🏋', '🏃', '🇩', '🇪', '🇺', '😀', '𐀀',
];
function rough() {
  return some(30, () => one(PIECES));
}
function text() {
  if (random() < 0.02) return word();
  if (random() < 0.2) return rough().toWellFormed();
  const part = () => one([
    word, word, word, word, link, link, link, emoji, emoji, odd, punctuation,
    () => one(['#', '＃']) + one([word, emoji, letters]), () => one(['@', '＠']) + one([word, letters]), () => '$' + one([letters, word, 'AAPL', 'BRK.B', 'A_b']),
    () => `${letters()}${maybe('.' + letters())}@${domain()}`,
    () => one(['(', '[', '"', '“', '<', '（', '「', '-', '_', '.', '/', '#', '@', '$', '日', 'é', 'x', '…']) + link() + one([')', ']', '"', '”', '>', '）', '」', '.', ',', '!', '?', '…', '。', '、', '日', 'é', '-', ':', ';', "'s"]),
    () => `${link()}${one(['', ',', ', ', '/', '.', '|', '日', '-', '\n', '\u200b', '\u200e'])}${link()}`,
  ]);
  return some(14, () => part() + one([' ', ' ', ' ', ' ', ' ', '', '', '\n', punctuation, odd])).toWellFormed();
}

if (mode === 'count') {
  const { parseTweet, extractUrlsWithIndices } = library('twitter-text');
  const out = [];
  readline
    .createInterface({ input: process.stdin, crlfDelay: Infinity })
    .on('line', (line) => {
      const text = JSON.parse(line);
      out.push(`${parseTweet(text).weightedLength} ${extractUrlsWithIndices(text.normalize()).length}\n`);
    })
    .on('close', () => process.stdout.write(out.join('')));
} else {
  const texts = [];
  for (let n = 0; n < Number(number); n++) texts.push(`${JSON.stringify(text())}\n`);
  process.stdout.write(texts.join(''));
}
