import type { Choices } from './random.js';

/** Numbers at the edges of formats. */
const numbers = [
  0n,
  1n,
  -1n,
  2n,
  127n,
  128n,
  255n,
  256n,
  65535n,
  65536n,
  2n ** 31n - 1n,
  2n ** 31n,
  2n ** 32n - 1n,
  2n ** 32n,
  2n ** 53n,
  2n ** 63n - 1n,
  10n ** 9n,
];

/** Pieces of text that readers take wrongly. */
const pieces = [
  '{',
  '}',
  '[',
  ']',
  '"',
  ',',
  ':',
  '\t',
  ' ',
  '\n',
  '\r\n',
  '\0',
  '0',
  '-1',
  '-0.5',
  '1e9',
  '1e999',
  'NaN',
  'null',
  'true',
  '{}',
  '[]',
  '""',
  '"constructor"',
  '"__proto__"',
  'toString',
  '\x1b[2J',
  '\u202e',
  '\ufeff',
  '\u00a0',
  '␣',
  '&a [*a, *a]',
  '!!set {a}',
  '- - -',
  '/dev/zero',
  '../../x',
  'version https://git-lfs.github.com/spec/v1',
];

/** Values that a key of JSON does not want. */
const values: readonly unknown[] = [
  null,
  true,
  false,
  0,
  1,
  -1,
  -0.5,
  0.5,
  2,
  3,
  7,
  1000,
  2 ** 31,
  2 ** 32,
  1e9,
  1e20,
  2 ** 53,
  '',
  'a',
  '1',
  'constructor',
  '__proto__',
  '\x1b[2J',
  [],
  {},
  [0],
  [-1],
  [null],
  ['a'],
  [[]],
  [1e9],
  { a: 1 },
  { constructor: 1 },
  'x'.repeat(1000),
];

/** Damages bytes, once or a few times. */
export function damageBytes(bytes: Uint8Array, choices: Choices): Uint8Array {
  let damaged = bytes;
  for (let times = choices.of([1, 1, 1, 2, 4]); times > 0; times--)
    damaged = choices.of(byteDamages)(damaged, choices);
  return damaged;
}

type ByteDamage = (bytes: Uint8Array, choices: Choices) => Uint8Array;

const byteDamages: readonly ByteDamage[] = [
  // One bit.
  (bytes, choices) => changed(bytes, choices.number(bytes.length), (old) => old ^ (1 << choices.number(8))),
  // One byte.
  (bytes, choices) =>
    changed(bytes, choices.number(bytes.length), () => choices.of([0, 1, 0x7f, 0x80, 0xff, 10, 32])),
  // Cut off.
  (bytes, choices) => bytes.slice(0, choices.number(bytes.length + 1)),
  // A number of 4 or 8 bytes.
  (bytes, choices) => {
    const width = choices.of([4, 8]);
    if (bytes.length < width) return bytes;
    const at = choices.number(bytes.length - width + 1);
    const result = bytes.slice();
    const number = BigInt.asUintN(width * 8, choices.of(numbers));
    for (let byte = 0; byte < width; byte++) result[at + byte] = Number((number >> BigInt(8 * byte)) & 0xffn);
    return result;
  },
  // A part that is left out, or comes twice.
  (bytes, choices) => {
    const [from, length] = [choices.number(bytes.length), choices.number(Math.min(64, bytes.length)) + 1];
    const keep = choices.of([0, 2]);
    const part = bytes.slice(from, from + length);
    return concatenated([bytes.slice(0, from), ...Array(keep).fill(part), bytes.slice(from + length)]);
  },
  // A piece of text put in, or put over what is there.
  (bytes, choices) => {
    const at = choices.number(bytes.length + 1);
    const piece = new TextEncoder().encode(choices.of(pieces));
    return concatenated([bytes.slice(0, at), piece, bytes.slice(at + choices.of([0, piece.length]))]);
  },
];

/** Damages JSON by its structure: a value is replaced, a key is removed, renamed or added. Other text is damaged as bytes. */
export function damageJson(bytes: Uint8Array, choices: Choices): Uint8Array {
  let root: unknown;
  try {
    root = JSON.parse(new TextDecoder().decode(bytes));
  } catch {
    return damageBytes(bytes, choices);
  }
  const holder = { root };
  for (let times = choices.of([1, 1, 2]); times > 0; times--) damageValue(holder, choices);
  return new TextEncoder().encode(JSON.stringify(holder.root) ?? '');
}

function damageValue(holder: { root: unknown }, choices: Choices): void {
  const places = placesIn(holder);
  const { parent, key } = choices.of(places);
  const kind = choices.number(8);
  if (kind === 0 && parent !== holder) remove(parent, key);
  else if (kind === 1 && !Array.isArray(parent) && parent !== holder) {
    const value = parent[key];
    remove(parent, key);
    parent[choices.of(['constructor', 'toString', '', 'x', '\x1b[2J', '-1', `${key}s`])] = value;
  } else if (kind === 2 && typeof parent[key] === 'number') {
    parent[key] = (parent[key] as number) + choices.of([-1, 1, 0.5, 2 ** 20]);
  } else parent[key] = structuredClone(choices.of(values));
}

type Parent = Record<string | number, unknown>;

/** Every value: what holds it, and by what key. */
function placesIn(holder: object): { parent: Parent; key: string | number }[] {
  const places: { parent: Parent; key: string | number }[] = [];
  const visit = (value: unknown): void => {
    if (typeof value !== 'object' || value === null) return;
    for (const key of Object.keys(value)) {
      places.push({ parent: value as Parent, key });
      visit((value as Parent)[key]);
    }
  };
  visit(holder);
  return places;
}

function remove(parent: Parent, key: string | number): void {
  if (Array.isArray(parent)) parent.splice(Number(key), 1);
  else delete parent[key];
}

function changed(bytes: Uint8Array, at: number, change: (old: number) => number): Uint8Array {
  const result = bytes.slice();
  if (result.length > 0) result[at] = change(result[at]);
  return result;
}

function concatenated(parts: readonly Uint8Array[]): Uint8Array {
  return new Uint8Array(Buffer.concat(parts));
}
