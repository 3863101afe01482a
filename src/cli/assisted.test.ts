import '../node/install.js';
import { expect, it } from 'vitest';
import { fakeStreams } from '../../test/support/cli/fakeStreams.js';
import { runProgram } from './program.js';

const model = 'models/en-fr-software';

async function run(args: string[], input = '') {
  const streams = fakeStreams([input]);
  const code = await runProgram(args, streams);
  return { code, out: streams.out(), err: streams.err() };
}

it('translates as without drafts, by lines and as it comes', async () => {
  const lines = 'This package contains the documentation.\n\nThe file test.conf is missing.\n';
  const plain = await run(['translate', '--num-beams', '1', '--max-new-tokens', '24'], lines);
  expect(plain.code).toBe(0);
  for (const flags of [
    ['--assistant-model', model, '--num-assistant-tokens', '4'],
    ['--prompt-lookup-num-tokens', '3', '--stream'],
  ]) {
    expect(await run(['translate', '--num-beams', '1', '--max-new-tokens', '24', ...flags], lines)).toEqual(
      plain,
    );
  }
});

it('shows what drafts did beside what generate writes', async () => {
  const flags = ['--model', model, '--num-beams', '1', '--max-new-tokens', '24'];
  const line = '{"text": "This package contains the documentation."}\n';
  const read = async (...more: string[]) => {
    const { out } = await run(['generate', ...flags, ...more], line);
    return JSON.parse(out).sequences[0];
  };
  const plain = await read();
  const { drafts, score, ...found } = await read('--assistant-model', model);
  expect(found).toEqual({ ids: plain.ids, text: plain.text });
  expect(score).toBeCloseTo(plain.score, 5);
  expect(Object.keys(drafts)).toEqual(['passes', 'drafted', 'accepted']);
  // The model drafts for itself: all is right.
  expect(drafts.accepted).toBe(drafts.drafted);
  expect(drafts.passes).toBeLessThan(plain.ids.length);
});

it('is refused without its model, and where the model is not there', async () => {
  const idle = await run(['translate', '--num-assistant-tokens', '4', 'the file']);
  expect(idle.code).toBe(2);
  expect(idle.err).toContain('--num-assistant-tokens 4 has no effect');
  // The model itself asks for 4 beams.
  const beams = await run(['translate', '--prompt-lookup-num-tokens', '4', 'the file']);
  expect(beams.code).toBe(2);
  expect(beams.err).toContain('set --num-beams to 1, or leave --prompt-lookup-num-tokens out');
  const missing = await run(['translate', '--assistant-model', 'nowhere', 'the file']);
  expect(missing.code).toBe(1);
  expect(missing.err).toContain('nowhere');
});
