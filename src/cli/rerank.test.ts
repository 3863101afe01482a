import { describe, expect, it } from 'vitest';
import { fakeStreams } from '../../test/support/cli/fakeStreams.js';
import { runProgram } from './program.js';

async function run(args: string[], input: string) {
  const streams = fakeStreams([input]);
  const code = await runProgram(['rerank', ...args], streams);
  return { code, out: streams.out(), err: streams.err() };
}

const line = (texts: string[]) =>
  JSON.stringify({ input_ids: [1], sequences: texts.map((text, i) => ({ ids: [i], score: -i, text })) });

describe('polybeam rerank', () => {
  const texts = ['a boat', 'the red car', 'the blue cart', 'the red car'];

  it.each([[], ['--utility', 'bleu']])(
    'puts what agrees with most first, blank lines stay blank: %s',
    async (...args) => {
      const { code, out } = await run(args, `${line(texts)}\n\n${line(['x'])}\n`);
      expect(code).toBe(0);
      const [first, blank, second] = out.split('\n');
      expect(blank).toBe('');
      const { input_ids, sequences } = JSON.parse(first);
      expect(input_ids).toEqual([1]);
      expect(sequences.map(({ ids }: { ids: number[] }) => ids[0])).toEqual([1, 3, 2, 0]);
      expect(sequences[0]).toMatchObject({ score: -1, text: 'the red car' });
      expect(sequences[0].utility).toBeGreaterThan(sequences[3].utility);
      expect(JSON.parse(second).sequences[0].utility).toBeCloseTo(100);
    },
  );

  it('refuses lines that generate did not write, and unknown utilities', async () => {
    const wrong = await run([], '{"sequences": [{"ids": [1]}]}\n');
    expect(wrong).toMatchObject({ code: 1 });
    expect(wrong.err).toContain('Input 1: sequences.0.text');
    expect(await run(['--utility', 'ter'], '')).toMatchObject({ code: 2 });
  });
});
