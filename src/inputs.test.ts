import { describe, expect, it } from 'vitest';
import {
  describeValue,
  inputName,
  requireIds,
  requireKeys,
  requireMask,
  requireOptionNames,
  requireTexts,
  showValue,
} from './inputs.js';

const message = (run: () => void): string => {
  try {
    run();
  } catch (error) {
    expect(error).toMatchObject({ name: 'PolybeamError' });
    return (error as Error).message;
  }
  return '';
};

describe('inputs', () => {
  it('are counted from 1', () => {
    expect(inputName(0)).toBe('Input 1');
  });

  it.each([
    [null, 'null'],
    ['a', 'the text "a"'],
    [5n, 'the bigint 5n'],
    [Number.NaN, 'the number NaN'],
    [[], 'an empty list'],
    [Int32Array.of(1), 'an Int32Array'],
    [new Float32Array(1), 'a Float32Array'],
    [{}, 'an object'],
    [new Map(), 'a Map'],
    [Symbol('a'), 'a symbol'],
  ])('%#: a value is described', (value, wanted) => {
    expect(describeValue(value)).toBe(wanted);
  });

  it('are shown as JSON where they have it', () => {
    const circle: unknown[] = [];
    circle.push(circle);
    expect([[5, 'a'], [5n], 5n, circle, undefined].map(showValue)).toEqual([
      '[5,"a"]',
      'a list',
      '5n',
      'a list',
      'undefined',
    ]);
  });

  it.each([
    [Int32Array.of(1), 'ids is an Int32Array; give a list of token ids, such as Array.from of it.'],
    [[1n], 'ids holds the bigint 1n; give ids from 0 to 9.'],
    [[1, undefined], 'ids holds undefined; give ids from 0 to 9.'],
    [new Array(2), 'ids holds undefined; give ids from 0 to 9.'],
    [['1'], 'ids holds the text "1"; give ids from 0 to 9.'],
    [[10], 'ids holds 10; give ids from 0 to 9.'],
    ['1', 'ids is the text "1"; give a list of token ids.'],
  ])('%#: what is no list of ids is refused', (value, wanted) => {
    expect(message(() => requireIds(value, 'ids', 10))).toBe(wanted);
  });

  it('are refused with masks of another length, or of other numbers', () => {
    expect(message(() => requireMask([1], 2, 'mask'))).toContain('mask has 1 values for 2 inputIds');
    expect(message(() => requireMask([1, true], 2, 'mask'))).toContain('mask holds true');
    expect(message(() => requireMask([1, 0], 2, 'mask'))).toBe('');
  });

  it('are refused where a text is wanted, holes included', () => {
    expect(message(() => requireTexts('a', 'texts'))).toContain('texts is the text "a"; give a list');
    expect(message(() => requireTexts(['a', null], 'texts'))).toContain('texts[1] is null; give a text');
    expect(message(() => requireTexts(new Array(1), 'texts', inputName))).toContain('Input 1 is undefined');
  });

  it('may have keys of the caller, but none that would be ignored', () => {
    const check = (value: object) => message(() => requireKeys(value, ['inputIds'], 'Input 1', ['text']));
    expect(check({ inputIds: [], id: 7, text: undefined })).toBe('');
    expect(check({ inputIds: [], text: 'a' })).toContain('the key "text", which would be ignored');
    expect(check({ input_ids: [] })).toContain('the key "input_ids", which would be ignored');
  });

  it('come with options that exist', () => {
    const check = (options: unknown) => message(() => requireOptionNames(options, ['a', 'b'], 'It'));
    expect(check({ a: 1, c: undefined })).toBe('');
    expect(check({ c: 1 })).toBe('It has no option "c"; the options are a, b.');
    expect(check(null)).toContain('options is null');
  });
});
