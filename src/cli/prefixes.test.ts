import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { fakeStreams } from '../../test/support/cli/fakeStreams.js';
import { setFileAccess } from '../files.js';
import { nodeFiles } from '../node/files.js';
import { withPrefixes } from './prefixes.js';
import { runProgram } from './program.js';

const directory = mkdtempSync(join(tmpdir(), 'polybeam-prefixes-'));
const file = join(directory, 'beginnings.fr');
beforeAll(() => setFileAccess(nodeFiles));
afterAll(() => rmSync(directory, { recursive: true }));

async function run(args: string[], input: string[] = []) {
  const streams = fakeStreams(input);
  const code = await runProgram(args, streams);
  return { code, out: streams.out(), err: streams.err() };
}

const lines = [
  'This package contains the documentation.',
  '',
  'Yes.',
  'Free software is a matter of liberty.',
];
const prefixes = ['La documentation', '', '', 'Un logiciel libre'];
const translate = ['translate', '--max-new-tokens', '8', '--batch-size', '2'];

describe('translate --prefix-file', () => {
  it('begins each line with its own, in batches, from arguments and as it streams', async () => {
    writeFileSync(file, `${prefixes.join('\n')}\n`);
    const plain = await run(translate, [lines.join('\n')]);
    const whole = await run([...translate, '--prefix-file', file], [lines.join('\n')]);
    expect([whole.code, whole.err]).toEqual([0, '']);
    const found = whole.out.split('\n');
    const free = plain.out.split('\n');
    prefixes.forEach((prefix, at) => {
      if (prefix === '') expect(found[at]).toBe(free[at]);
      else expect(found[at].startsWith(prefix)).toBe(true);
    });
    expect(found[1]).toBe('');
    const given = await run([...translate, '--prefix-file', file, ...lines]);
    expect(given).toEqual(whole);
    const streamed = await run([...translate, '--stream', '--prefix-file', file], [lines.join('\n')]);
    expect(streamed.out).toBe(whole.out);
    writeFileSync(file, gzipSync(`${prefixes.join('\n')}\n`));
    expect(await run([...translate, '--prefix-file', file, ...lines])).toEqual(whole);
  });

  it.each([
    [prefixes.slice(1), 'has 3 lines for 4 lines of input; give one for each'],
    [[...prefixes, 'x'], 'has 5 lines for 4 lines of input'],
    [['', 'Oui', '', ''], 'Input 2: prefix "Oui" begins the output of a blank text'],
  ])('writes nothing where lines do not match: %j', async (given, message) => {
    writeFileSync(file, `${given.join('\n')}\n`);
    const { code, out, err } = await run([...translate, '--prefix-file', file], [lines.join('\n')]);
    expect([code, out]).toEqual([1, '']);
    expect(err).toContain(message);
    expect(err).toContain('[INPUT_INVALID]');
  });

  it('shows how far the work is, though all is read', async () => {
    writeFileSync(file, 'a\nb\n');
    const streams = { ...fakeStreams(), inputSize: 100, inputRead: 100 };
    const texts = (async function* () {
      yield* ['x', 'y'];
    })();
    const read: number[] = [];
    for await (const _ of withPrefixes(texts, { prefixFile: file }, streams)) read.push(streams.inputRead);
    expect(read).toEqual([50, 100]);
  });
});

describe('translate --prefix', () => {
  it('begins every line but blank ones', async () => {
    const { out } = await run([...translate, '--prefix', 'La'], [lines.join('\n')]);
    const found = out.split('\n').slice(0, lines.length);
    expect(found.map((line) => line.startsWith('La'))).toEqual([true, false, true, true]);
    expect(found[1]).toBe('');
  });

  it('is refused beside a file', async () => {
    const { code, err } = await run([...translate, '--prefix', 'La', '--prefix-file', file, 'a']);
    expect([code, err]).toEqual([2, expect.stringContaining('--prefix "La" does not go with --prefix-file')]);
  });
});

describe('generate', () => {
  it('takes a prefix on each line, as text or as ids', async () => {
    const args = ['generate', '--model', 'models/en-fr-software', '--max-new-tokens', '6'];
    const first = await run(args, [`${JSON.stringify({ text: lines[3], prefix: 'Un logiciel' })}\n`]);
    expect([first.code, first.err]).toEqual([0, '']);
    const [{ ids, text }] = JSON.parse(first.out).sequences;
    expect(text.startsWith('Un logiciel')).toBe(true);
    const again = await run(args, [`${JSON.stringify({ text: lines[3], prefix: ids.slice(0, 2) })}\n`]);
    expect(JSON.parse(again.out).sequences[0].ids.slice(0, 2)).toEqual(ids.slice(0, 2));
    const wrong = await run(args, [`${JSON.stringify({ text: 'a', prefix: 3 })}\n`]);
    expect([wrong.code, wrong.err]).toEqual([1, expect.stringContaining('Input 1: prefix is wrong')]);
  });

  it('draws to a prefix, and returns alternatives after one', async () => {
    const args = ['generate', '--model', 'models/en-fr-software', '--max-new-tokens', '6'];
    const line = `${JSON.stringify({ text: lines[3], prefix: 'La liberté' })}\n`;
    const text = (out: string) => JSON.parse(out).sequences[0].text as string;
    const strong = await run([...args, '--prefix-bias-beta', '0.99'], [line]);
    expect(text(strong.out).startsWith('La liberté')).toBe(true);
    const weak = await run([...args, '--prefix-bias-beta', '0.001'], [line]);
    expect(text(weak.out).startsWith('La liberté')).toBe(false);
    const several = await run([...args, '--return-alternatives', '--num-return-sequences', '3'], [line]);
    expect([several.code, several.err]).toEqual([0, '']);
    const { sequences } = JSON.parse(several.out) as { sequences: { text: string }[] };
    expect(new Set(sequences.map((one) => one.text)).size).toBe(3);
    expect(sequences.every((one) => one.text.startsWith('La liberté'))).toBe(true);
    const translated = await run(['translate', '--return-alternatives', 'a']);
    expect([translated.code, translated.err]).toEqual([2, expect.stringContaining('--return-alternatives')]);
  });

  it('draws only the lines that have a prefix, whatever is read together, and warns where none has', async () => {
    const bare = JSON.stringify({ text: lines[3] });
    const drawn = JSON.stringify({ text: lines[3], prefix: 'La liberté' });
    const args = [
      'generate',
      '--model',
      'models/en-fr-software',
      '--max-new-tokens',
      '6',
      '--batch-size',
      '1',
    ];
    const plain = (await run(args, [`${bare}\n`])).out;
    const biased = [...args, '--prefix-bias-beta', '0.99'];
    const mixed = await run(biased, [`${bare}\n${drawn}\n`]);
    expect([mixed.code, mixed.err]).toEqual([0, '']);
    const [first, second] = mixed.out.trim().split('\n');
    expect(JSON.parse(first).sequences[0].ids).toEqual(JSON.parse(plain).sequences[0].ids);
    expect(JSON.parse(second).sequences[0].text.startsWith('La liberté')).toBe(true);
    const none = await run(biased, [`${bare}\n`]);
    expect([none.code, none.err]).toEqual([0, expect.stringContaining('no line has a "prefix"')]);
  });
});
