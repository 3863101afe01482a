import { PolybeamError } from './errors.js';

/*
 * What every function of the library asks of what a caller gives, whoever compiled the caller: types hold only in TypeScript.
 */

/** How errors name an input: counted from 1, as lines are. @param index from 0, over all that the caller gave */
export function inputName(index: number): string {
  return `Input ${index + 1}`;
}

/** A value that a caller gave, in a message: `null`, `the text "a"`, `an Int32Array`. */
export function describeValue(value: unknown): string {
  if (value === null || value === undefined || typeof value === 'boolean') return String(value);
  if (typeof value === 'string') return `the text ${JSON.stringify(shorten(value))}`;
  if (typeof value === 'number') return `the number ${value}`;
  if (typeof value === 'bigint') return `the bigint ${value}n`;
  if (typeof value === 'symbol' || typeof value === 'function') return `a ${typeof value}`;
  if (Array.isArray(value)) return value.length === 0 ? 'an empty list' : 'a list';
  const name = /\[object (\w+)\]/.exec(Object.prototype.toString.call(value))?.[1] ?? 'Object';
  return `${/^[AEIO]/.test(name) ? 'an' : 'a'} ${name === 'Object' ? 'object' : name}`;
}

/** A value as JSON, or described where it has no JSON, as bigints and circles have none. */
export function showValue(value: unknown): string {
  if (typeof value === 'number') return String(value);
  if (typeof value === 'bigint') return `${value}n`;
  try {
    return JSON.stringify(value) ?? describeValue(value);
  } catch {
    return describeValue(value);
  }
}

/** An INPUT_INVALID: what was given, and what is wanted instead. @param wanted such as `give a list of texts` */
export function wrongInput(name: string, value: unknown, wanted: string): PolybeamError {
  return new PolybeamError('INPUT_INVALID', `${name} is ${describeValue(value)}; ${wanted}.`);
}

/** @throws INPUT_INVALID for what is no text */
export function requireText(value: unknown, name: string): asserts value is string {
  if (typeof value !== 'string') throw wrongInput(name, value, 'give a text');
}

/** @param of what the list holds, such as `texts` @throws INPUT_INVALID for what is no list; typed arrays are none */
export function requireList(value: unknown, name: string, of: string): asserts value is readonly unknown[] {
  if (Array.isArray(value)) return;
  const typed = ArrayBuffer.isView(value) ? `, such as Array.from of it` : '';
  throw wrongInput(name, value, `give a list of ${of}${typed}`);
}

/** @throws INPUT_INVALID for what is no function */
export function requireFunction(value: unknown, name: string): void {
  if (typeof value !== 'function') throw wrongInput(name, value, 'give a function');
}

/** What every training asks of its arguments: `config` as its parser gives it. @throws INPUT_INVALID */
export function requireConfig(config: unknown, options: unknown): void {
  requireObject(config, 'config', 'a configuration, as its parser gives it');
  requireObject((config as { data?: unknown }).data, 'config.data', 'texts to train on');
  requireObject(options, 'options', 'options such as output');
}

/** @throws INPUT_INVALID for what is no list of objects. @param of what they are, such as `step models` */
export function requireObjects(value: unknown, name: string, of: string): asserts value is readonly object[] {
  requireList(value, name, of);
  for (let at = 0; at < value.length; at++) requireObject(value[at], `${name}[${at}]`, `the parts of ${of}`);
}

/** @param item names one of them by its place, from 0 @throws INPUT_INVALID for what is no list of texts */
export function requireTexts(
  value: unknown,
  name: string,
  item: (index: number) => string = (index) => `${name}[${index}]`,
): asserts value is readonly string[] {
  requireList(value, name, 'texts');
  // Not forEach, which passes over the holes of a list.
  for (let at = 0; at < value.length; at++) requireText(value[at], item(at));
}

/** @param what it holds, such as `options` @throws INPUT_INVALID for what is no plain object */
export function requireObject(value: unknown, name: string, what: string): asserts value is object {
  const fits = typeof value === 'object' && value !== null && !Array.isArray(value);
  if (!fits || ArrayBuffer.isView(value)) throw wrongInput(name, value, `give an object with ${what}`);
}

/**
 * @param count ids are from 0 to one less
 * @throws INPUT_INVALID for what is no list of numbers (typed arrays are none), and for a number that is no id
 */
export function requireIds(
  value: unknown,
  name: string,
  count = Number.POSITIVE_INFINITY,
): asserts value is readonly number[] {
  requireList(value, name, 'token ids');
  for (let at = 0; at < value.length; at++) {
    const id = value[at];
    if (Number.isInteger(id) && (id as number) >= 0 && (id as number) < count) continue;
    const shown = typeof id === 'number' ? String(id) : describeValue(id);
    const range = count === Number.POSITIVE_INFINITY ? 'token ids from 0' : `ids from 0 to ${count - 1}`;
    throw new PolybeamError('INPUT_INVALID', `${name} holds ${shown}; give ${range}.`);
  }
}

/** @throws INPUT_INVALID for what is no list of zeros and ones, one for each of `length` ids, which stand in `beside` */
export function requireMask(
  value: unknown,
  length: number,
  name: string,
  beside = 'inputIds',
): asserts value is readonly number[] {
  requireList(value, name, 'zeros and ones');
  if (value.length !== length) {
    throw new PolybeamError(
      'INPUT_INVALID',
      `${name} has ${value.length} values for ${length} ${beside}; give one each.`,
    );
  }
  const bad = Array.from(value).findIndex((one) => one !== 0 && one !== 1);
  if (bad < 0) return;
  const shown = typeof value[bad] === 'number' ? String(value[bad]) : describeValue(value[bad]);
  throw new PolybeamError('INPUT_INVALID', `${name} holds ${shown}; give 0 or 1.`);
}

/**
 * Refuses what would be ignored. Keys of the caller's own, such as a number of the line, may stand beside those that mean something.
 * @param known keys that have a meaning here
 * @param elsewhere keys that have a meaning in other inputs
 * @throws INPUT_INVALID for one of `elsewhere` that is set, and for a known one in another spelling, such as `input_ids`
 */
export function requireKeys(
  value: object,
  known: readonly string[],
  name: string,
  elsewhere: readonly string[] = [],
): void {
  const plain = (key: string) => key.replace(/[_-]/g, '').toLowerCase();
  const meant = [...known, ...elsewhere].map(plain);
  const stranger = Object.entries(value).find(
    ([key, one]) => one !== undefined && !known.includes(key) && meant.includes(plain(key)),
  );
  if (stranger === undefined) return;
  throw new PolybeamError(
    'INPUT_INVALID',
    `${name} has the key "${stranger[0]}", which would be ignored; use ${known.join(', ')}.`,
  );
}

/** @param whose such as `A batcher` @throws INPUT_INVALID for what is no object, OPTION_UNKNOWN */
export function requireOptionNames(options: unknown, names: readonly string[], whose: string): void {
  requireObject(options, 'options', `options such as ${names[0]}`);
  const unknown = Object.entries(options).find(([key, one]) => one !== undefined && !names.includes(key));
  if (unknown === undefined) return;
  throw new PolybeamError(
    'OPTION_UNKNOWN',
    `${whose} has no option "${unknown[0]}"; the options are ${names.join(', ')}.`,
  );
}

/** @throws OPTION_INVALID for an option that is given and is no integer from `least` */
export function requireIntegerOption(name: string, value: unknown, least: number): void {
  if (value === undefined || (Number.isInteger(value) && (value as number) >= least)) return;
  const shown = typeof value === 'number' ? String(value) : describeValue(value);
  throw new PolybeamError(
    'OPTION_INVALID',
    `Option ${name} cannot be ${shown}: give an integer from ${least}.`,
  );
}

function shorten(text: string): string {
  return text.length > 60 ? `${text.slice(0, 60)}…` : text;
}
