import { describe, expect, it } from 'vitest';
import { readAlignment } from './alignments.js';

const read = (line: string) => readAlignment(line, 'a free game', 'un jeu', '"f", line 1,');

describe('readAlignment', () => {
  it('reads links and weights, behind a text or alone', () => {
    expect(read('0-0 2-1')).toEqual({
      sourceWords: ['a', 'free', 'game'],
      words: ['un', 'jeu'],
      weights: [
        [1, 0, 0],
        [0, 0, 1],
      ],
    });
    const soft = [
      [0.9, 0.1, 0],
      [0, 0.25, 0.75],
    ];
    expect(read('un jeu\t0.9,0.1,0 0,0.25,0.75').weights).toEqual(soft);
    expect(read('').weights).toEqual([
      [0, 0, 0],
      [0, 0, 0],
    ]);
  });

  it.each([
    ['3-0', '"f", line 1, has the link 3-0 for 3 words of the source and 2 of the text'],
    ['0-2', 'has the link 0-2'],
    ['1,0,0', 'has 1 rows of weights'],
    ['1,0,0 1,0', 'has the weights "1,0"'],
    ['1,0,0 1,0,x', 'has the weights "1,0,x"'],
    ['some words', 'has the weights "some"'],
  ])('refuses %j', (line, message) => {
    expect(() => read(line)).toThrow(
      expect.objectContaining({ code: 'INPUT_INVALID', message: expect.stringContaining(message) }),
    );
  });

  it('refuses more weights than a page can show, before it makes them', () => {
    const long = 'w '.repeat(100_000);
    expect(() => readAlignment('0-0', long, long, 'line 1,')).toThrow(
      expect.objectContaining({
        code: 'INPUT_INVALID',
        message: expect.stringContaining('line 1, aligns 100000 words with 100000'),
      }),
    );
  });
});
