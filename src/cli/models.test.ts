import { cpSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { fakeStreams } from '../../test/support/cli/fakeStreams.js';
import { setFileAccess } from '../files.js';
import { nodeFiles } from '../node/files.js';
import { saveTokenizer } from '../text/saveTokenizer.js';
import { trainVocabulary } from '../text/trainVocabulary.js';
import { runProgram } from './program.js';

const fixtures = 'test/fixtures/models';
const directory = mkdtempSync(join(tmpdir(), 'polybeam-models-'));
const textModel = join(directory, 'marian');
const expected = JSON.parse(readFileSync(`${fixtures}/marian/expected.json`, 'utf8'));

beforeAll(async () => {
  setFileAccess(nodeFiles);
  cpSync(`${fixtures}/marian`, textModel, { recursive: true });
  const letters = 'abcdefghijklmnopqrstuvwxyz'.split('');
  const lines = [...letters.map((letter) => `${letter} ${letter}${letter}`), 'the end', 'the start'];
  const tokenizer = await trainVocabulary(lines, {
    size: 72,
    minFrequency: 1,
    specialTokens: ['</s>', '<unk>', '<pad>'],
  });
  await saveTokenizer(textModel, tokenizer, { modelMaxLength: 12 });
});
afterAll(() => rmSync(directory, { recursive: true }));

async function run(args: string[], input: (string | Uint8Array)[] = []) {
  const streams = fakeStreams(input);
  const code = await runProgram(args, streams);
  return { code, out: streams.out(), err: streams.err() };
}

/** The rows of a padded fixture, without their padding. */
function inputRows(): number[][] {
  const { input_ids, attention_mask } = expected.inputs as Record<string, number[][]>;
  return input_ids.map((row, at) => row.filter((_, column) => attention_mask[at][column] === 1));
}

/** Options in Python's names as flags. */
function flagsOf(options: Record<string, unknown>): string[] {
  return Object.entries(options).flatMap(([name, value]) => [
    `--${name.replaceAll('_', '-')}`,
    String(value),
  ]);
}

/** What transformers returns, without the decoder start token and the padding (both 71 in this model). */
function withoutStartAndPadding(ids: number[]): number[] {
  return ids.filter((id) => id !== 71);
}

describe('polybeam generate', () => {
  it.each(['greedy', 'beam-2', 'beam-early-stopping-never', 'beam-everything'])(
    "gives transformers' sequences, line by line, blank lines stay blank: %s",
    async (name) => {
      const wanted = expected.generate.find((one: { name: string }) => one.name === name);
      const rows = inputRows();
      const lines = rows.flatMap((row) => [JSON.stringify({ input_ids: row }), '']);
      const args = ['generate', '--model', `${fixtures}/marian`, '--batch-size', '3'];
      const { code, out, err } = await run([...args, ...flagsOf(wanted.options)], [lines.join('\n')]);
      expect([code, err]).toEqual([0, '']);
      const answers = out.split('\n');
      expect(answers.filter((_, at) => at % 2 === 1)).toEqual(rows.map(() => ''));
      const outputs = answers.filter((_, at) => at % 2 === 0).map((line) => JSON.parse(line));
      expect(outputs.map((output) => output.input_ids)).toEqual(rows);
      const sequences = outputs.flatMap((output) => output.sequences);
      expect(sequences.map(({ ids }) => ids)).toEqual(wanted.sequences.map(withoutStartAndPadding));
      for (const [at, score] of (wanted.sequences_scores ?? []).entries()) {
        expect(sequences[at].score).toBeCloseTo(score, 3);
      }
      expect(sequences[0]).not.toHaveProperty('text');
    },
  );

  it.each([
    ['{"input_id":[5]}', 'Input 2: there is no key "input_id"; did you mean input_ids?'],
    [
      '{"frobnicate":1}',
      'Input 2: there is no key "frobnicate"; use text, force_words_ids, prefix, input_ids, ',
    ],
    ['{"text":3}', 'Input 2: text is wrong (expected string, received number).'],
    ['{"input_ids":[1.5]}', 'Input 2: input_ids.0 is wrong ('],
    ['{"text":"a","input_ids":[2]}', 'cannot go with the other keys.'],
    ['{}', 'Input 2: it is empty; give text or input_ids.'],
    ['[1]', 'Input 2 is no JSON object ([1]): give one object a line.'],
    ['{"a"', 'Input 2 is not JSON ({"a"): give one object a line.'],
  ])('refuses %s, naming the line', async (line, message) => {
    const { code, out, err } = await run(['generate', '--model', `${fixtures}/marian`], [`\n${line}\n`]);
    expect([code, out]).toEqual([1, '']);
    expect(err).toContain(`polybeam: ${message.startsWith('Input') ? message : 'Input 2: '}`);
    expect(err).toContain(message);
    expect(err).toContain('[INPUT_INVALID]');
  });

  it('counts lines over all portions, as its reader does', async () => {
    const lines = Array.from({ length: 600 }, () => '{"input_ids":[5]}');
    lines[500] = '{"input_ids":[99999]}';
    const args = ['--model', `${fixtures}/marian`, '--max-new-tokens', '1'];
    const wrong = 'polybeam: Input 501: inputIds holds 99999';
    for (const command of ['generate', 'forward']) {
      const flags = command === 'forward' ? args.slice(0, 2) : args;
      const { code, err } = await run([command, ...flags], [lines.join('\n')]);
      expect([code, err]).toEqual([1, expect.stringContaining(wrong)]);
    }
  });

  it('refuses options that contradict each other, by the names of their flags', async () => {
    const args = [
      'generate',
      '--model',
      `${fixtures}/marian`,
      '--num-beams',
      '1',
      '--num-return-sequences',
      '2',
    ];
    const { code, err } = await run(args, ['{"input_ids":[5]}\n']);
    expect(code).toBe(2);
    expect(err).toContain('--num-return-sequences 2 is more than --num-beams 1');
  });
});

describe('a model that continues texts', () => {
  const gpt2 = JSON.parse(readFileSync(`${fixtures}/gpt2/expected.json`, 'utf8'));
  const text: number[] = gpt2.inputs.input_ids[2];

  it('is decoded by generate: the text and what follows', async () => {
    const { code, out, err } = await run(
      ['generate', '--model', `${fixtures}/gpt2`, '--num-beams', '4', '--max-new-tokens', '16'],
      [`{"input_ids": ${JSON.stringify(text)}}\n`],
    );
    expect([code, err]).toEqual([0, '']);
    const { sequences } = gpt2.generate.find(({ name }: { name: string }) => name === 'beam');
    const wanted: number[] = sequences[2];
    const { ids, score } = JSON.parse(out).sequences[0];
    expect(ids).toEqual(wanted.slice(0, ids.length));
    expect(ids.length).toBeGreaterThan(text.length);
    expect(Number.isFinite(score)).toBe(true);
  });

  it('refuses a beginning of the output beside the text, and a translation', async () => {
    const input = '{"input_ids": [5], "decoder_input_ids": [6]}\n';
    const generated = await run(['generate', '--model', `${fixtures}/gpt2`], [input]);
    expect(generated.code).toBe(1);
    expect(generated.err).toContain('append them to inputIds');
    const translated = await run(['translate', '--model', `${fixtures}/gpt2`], ['a\n']);
    expect(translated.err).toContain('continues texts and does not translate');
  });
});

describe('polybeam translate --chunk', () => {
  it('translates every piece of a long text, and counts lines as before', async () => {
    const long = 'the end. the start. the end. the start. the end. the start.';
    const args = ['translate', '--model', textModel, '--max-new-tokens', '4'];
    const cut = await run(args, [`${long}\nthe end\n`]);
    expect(cut.err).toContain('longer than');
    const whole = await run([...args, '--chunk', '8'], [`${long}\nthe end\n`]);
    expect(whole.code).toBe(0);
    expect(whole.err).not.toContain('longer than');
    const [first, second] = whole.out.split('\n');
    expect(first.length).toBeGreaterThan(cut.out.split('\n')[0].length);
    expect(second).toBe(cut.out.split('\n')[1]);
    expect((await run([...args, '--chunk', '0'], ['a\n'])).err).toContain('--chunk cannot be "0"');
  });
});

describe('--ensemble', () => {
  const line = `{"input_ids": ${JSON.stringify(inputRows()[0])}}\n`;

  it('decodes with several models, and is one model where they are equal', async () => {
    const args = ['generate', '--model', `${fixtures}/marian`, '--num-beams', '2', '--max-new-tokens', '6'];
    const alone = await run(args, [line]);
    const ids = (out: string) => JSON.parse(out).sequences[0].ids;
    const self = await run(
      [...args, '--ensemble', `["${fixtures}/marian"]`, '--ensemble-weights', '[1, 2]'],
      [line],
    );
    expect(ids(self.out)).toEqual(ids(alone.out));
    const other = await run([...args, '--ensemble', `["${fixtures}/marian-sharded"]`], [line]);
    expect(other.code).toBe(0);
  });

  it('refuses weights without an ensemble, and other vocabularies', async () => {
    const weights = await run(
      ['generate', '--model', `${fixtures}/marian`, '--ensemble-weights', '[1]'],
      [line],
    );
    expect(weights).toMatchObject({ code: 2 });
    expect(weights.err).toContain('without --ensemble');
    const other = await run(
      ['generate', '--model', `${fixtures}/marian`, '--ensemble', `["${fixtures}/bart"]`],
      [line],
    );
    expect(other).toMatchObject({ code: 1 });
    expect(other.err).toContain('72, 60 tokens');
  });
});

describe('polybeam generate with constraints', () => {
  it('meets those of a line and of the flag, and refuses those that cannot fit', async () => {
    const row = inputRows()[0];
    const lines = [{ input_ids: row, force_words_ids: [[9, 8]] }, { input_ids: row }];
    const args = ['generate', '--model', `${fixtures}/marian`, '--num-beams', '4', '--max-new-tokens', '8'];
    const { code, out } = await run(
      [...args, '--force-words-ids', '[[7]]'],
      lines.map((line) => `${JSON.stringify(line)}\n`),
    );
    expect(code).toBe(0);
    const [both, one] = out
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line).sequences[0]);
    expect(both.ids.join()).toMatch(/\b9,8\b/);
    expect(both.ids).toContain(7);
    expect(both.unmet_constraints).toEqual([]);
    expect(one.ids).toContain(7);
    expect(one.ids.join()).not.toMatch(/\b9,8\b/);
    const unmet = await run(
      [...args.slice(0, -1), '2', '--force-words-ids', '[[7, 6, 5]]'],
      [`${JSON.stringify(lines[1])}\n`],
    );
    expect(unmet.err).toContain('Input 1: --force-words-ids needs 3 tokens, and --max-new-tokens is 2');
  });
});

describe('polybeam score', () => {
  it('gives a score for a line, blank lines stay blank', async () => {
    const source = 'the end';
    const generated = await run(
      ['generate', '--model', textModel, '--num-beams', '2', '--max-new-tokens', '6', '--log-probabilities'],
      [`{"text": "${source}"}\n`],
    );
    const [{ score, ids, text, log_probabilities: found }] = JSON.parse(generated.out).sequences;
    expect(found).toHaveLength(ids.length);
    expect(found.reduce((sum: number, value: number) => sum + value, 0) / ids.length).toBeCloseTo(score, 5);
    const { code, out } = await run(
      ['score', '--model', textModel, '--json'],
      [`${source}\t${text}\n\n${source}\tthe start\n`],
    );
    expect(code).toBe(0);
    const lines = out.split('\n');
    expect(lines).toHaveLength(4);
    expect(lines[1]).toBe('');
    const scored = JSON.parse(lines[0]);
    expect(scored.log_probabilities).toHaveLength(scored.ids.length);
    const whole = await run(
      ['score', '--model', textModel, '--length-penalty', '0'],
      [`${source}\t${text}\n`],
    );
    expect(Number(whole.out)).toBeCloseTo(
      scored.log_probabilities.reduce((sum: number, value: number) => sum + value, 0),
      4,
    );
  });

  it('scores lengths by the flags of generate', async () => {
    const pair = ['the end\tthe start\n'];
    const scored = (...flags: string[]) => run(['score', '--model', textModel, ...flags], pair);
    const plain = await scored('--length-penalty', '0', '--json');
    const { score, ids } = JSON.parse(plain.out);
    const rewarded = await scored('--word-reward', '0.5');
    expect(Number(rewarded.out)).toBeCloseTo(score + 0.5 * ids.length, 4);
    const penalized = await scored('--gnmt-length-penalty', '0.6');
    expect(Number(penalized.out)).toBeCloseTo(score / ((5 + ids.length) / 6) ** 0.6, 4);
  });

  it('names the line of a pair that cannot be scored, blank lines counted', async () => {
    const long = 'the '.repeat(200);
    const { code, err } = await run(['score', '--model', textModel], [`a\tb\n\na\t${long}\n`]);
    expect([code, err]).toEqual([1, expect.stringContaining('polybeam: Input 3: target has ')]);
  });

  it('refuses a line without a tab, and a penalty that is no number', async () => {
    const untabbed = await run(['score', '--model', textModel], ['a\tb\nc\n']);
    expect(untabbed).toMatchObject({ code: 1 });
    expect(untabbed.err).toContain('Input 2 has 0 tabs');
    const wrong = await run(['score', '--model', textModel, '--length-penalty', 'x'], []);
    expect(wrong).toMatchObject({ code: 2 });
    expect(wrong.err).toContain('--length-penalty cannot be "x"');
  });
});

describe('--alignments', () => {
  const short = ['--max-new-tokens', '6'];

  it('follows translations and scores, the same for the same output, blank lines stay blank', async () => {
    const texts = ['the end of the start', '', 'a b'];
    const plain = await run(['translate', '--model', textModel, ...short], [texts.join('\n')]);
    const hard = await run(
      ['translate', '--model', textModel, ...short, '--alignments', 'hard'],
      [texts.join('\n')],
    );
    expect([hard.code, hard.err]).toEqual([0, '']);
    const lines = hard.out.split('\n').map((line) => line.split('\t'));
    expect(lines.map(([text]) => text).join('\n')).toBe(plain.out);
    expect(lines[0][1]).toMatch(/^\d+-\d+( \d+-\d+)*$/);
    expect(lines[1]).toEqual(['']);
    const soft = await run(['translate', '--model', textModel, ...short, '--alignments', 'soft'], [texts[0]]);
    const [text, weights] = soft.out.trim().split('\t');
    expect(text).toBe(lines[0][0]);
    const rows = weights.split(' ').map((row) => row.split(',').map(Number));
    expect(rows.map((row) => row.length)).toEqual(text.split(' ').map(() => 5));
    const scored = await run(
      ['score', '--model', textModel, '--alignments', 'hard', '--alignment-layer', '1'],
      [`${texts[0]}\t${lines[0][0]}\n`],
    );
    expect(scored.out.trim().split('\t')[1]).toBe(lines[0][1]);
  });

  it('is in the JSON of generate where attention is asked for', async () => {
    const args = ['generate', '--model', textModel, ...short, '--return-attention', '--return-logits'];
    const { out } = await run(args, ['{"text": "the end"}\n']);
    const { input_ids, sequences } = JSON.parse(out);
    const [{ ids, attention, alignment, word_alignment, logits }] = sequences;
    expect(logits.map((row: number[]) => row.length)).toEqual(ids.map(() => 72));
    expect(attention).toHaveLength(ids.length);
    expect(attention[0]).toHaveLength(input_ids.length);
    expect(alignment).toMatch(/^\d+-0( |$)/);
    expect(word_alignment).toMatch(/^\d+-\d+/);
  });

  it('refuses what there is not', async () => {
    const form = await run(['translate', '--model', textModel, '--alignments', 'firm', 'a']);
    expect(form).toMatchObject({ code: 2 });
    expect(form.err).toContain('--alignments cannot be "firm": use hard or soft.');
    const layer = await run(
      ['score', '--model', textModel, '--alignments', 'hard', '--alignment-layer', '7'],
      ['a\tb\n'],
    );
    expect(layer).toMatchObject({ code: 2 });
    expect(layer.err).toContain("--alignment-layer cannot be 7: the decoder's are numbered 0 to 1.");
    const idle = await run(['translate', '--model', textModel, '--alignment-layer', '0', 'a']);
    expect(idle.err).toContain('--alignment-layer 0 has no effect with');
  });
});

describe('--replace-unknowns', () => {
  const unknown = ['--max-new-tokens', '2', '--min-new-tokens', '2', '--sequence-bias', '[[[1], 60]]'];

  it('puts words of the source, or of a dictionary, in place of unknown ones', async () => {
    const args = ['translate', '--model', textModel, ...unknown, 'start'];
    expect((await run(args)).out).toBe('\n');
    expect((await run([...args, '--replace-unknowns'])).out).toBe('start\n');
    const dictionary = join(directory, 'dictionary.tsv');
    writeFileSync(dictionary, 'start\tAnfang\n');
    const looked = ['--replace-unknowns', '--dictionary', dictionary];
    expect((await run([...args, ...looked])).out).toBe('Anfang\n');
    const json = await run(
      ['generate', '--model', textModel, ...unknown, ...looked],
      ['{"text": "start"}\n\n'],
    );
    const [line, blank] = json.out.split('\n');
    expect(blank).toBe('');
    expect(JSON.parse(line).sequences[0].text).toBe('Anfang');
    expect(JSON.parse(line).sequences[0]).not.toHaveProperty('attention');
  });

  it.each([
    [['--dictionary', 'x'], '--dictionary "x" has no effect without --replace-unknowns'],
    [['--replace-unknowns', '--stream'], '--replace-unknowns does not go with --stream'],
  ])('refuses %j', async (flags, message) => {
    const { code, err } = await run(['translate', '--model', textModel, ...flags, 'a']);
    expect([code, err.includes(message)]).toEqual([2, true]);
  });
});

describe('polybeam forward', () => {
  it('gives logits of an encoder-decoder', async () => {
    const [row] = inputRows();
    const line = { input_ids: row, decoder_input_ids: expected.inputs.decoder_input_ids[0] };
    const { code, out } = await run(
      ['forward', '--model', `${fixtures}/marian`],
      [`${JSON.stringify(line)}\n\n`],
    );
    expect(code).toBe(0);
    const [first, second] = out.split('\n');
    expect(second).toBe('');
    const { logits } = JSON.parse(first) as { logits: number[][] };
    expect(logits).toHaveLength(line.decoder_input_ids.length);
    const wanted = expected.forward.logits[0] as number[][];
    for (const [position, values] of logits.entries()) {
      for (const [token, value] of values.entries()) expect(value).toBeCloseTo(wanted[position][token], 4);
    }
  });

  it('gives hidden states and the pooled output of an encoder', async () => {
    const { out } = await run(['forward', '--model', `${fixtures}/bert`], ['{"input_ids":[5,8,2]}\n']);
    const output = JSON.parse(out);
    expect(Object.keys(output)).toEqual(['last_hidden_state', 'pooler_output']);
    expect(output.last_hidden_state).toHaveLength(3);
  });
});

describe('polybeam translate', () => {
  const args = ['translate', '--model', textModel, '--max-new-tokens', '5'];

  it('gives a line for a line in the same order, whatever the batches', async () => {
    const texts = ['a b c', '', 'the end the start', '   ', 'z', 'the start'];
    const one = await run([...args, '--batch-size', '1'], [`${texts.join('\n')}\n`]);
    const lines = one.out.split('\n').slice(0, -1);
    expect([one.code, one.err, lines.length]).toEqual([0, '', texts.length]);
    expect(lines[1]).toBe('');
    expect(lines[3]).toBe('');
    expect(lines[0]).not.toBe('');
    expect(await run([...args, '--batch-size', '4'], [texts.join('\n')])).toEqual(one);
    const asArguments = await run([...args, ...texts]);
    expect(asArguments).toEqual(one);
  });

  it.each([[[]], [['--num-beams', '3']], [['--do-sample', '--seed', '4']]])(
    'streams the same lines, in order, as they grow: %j',
    async (flags: string[]) => {
      const input = ['a b c\n\nthe end the start\nz\nthe st', 'art\n'];
      const whole = await run([...args, ...flags, '--batch-size', '2'], input);
      const streams = fakeStreams(input);
      const pieces: string[] = [];
      const write = (text: string) => pieces.push(text);
      Object.assign(streams, { stdout: { write } });
      expect(await runProgram([...args, ...flags, '--batch-size', '2', '--stream'], streams)).toBe(0);
      expect(pieces.join('')).toBe(whole.out);
      expect(pieces.some((piece) => !piece.endsWith('\n'))).toBe(true);
      expect(pieces).not.toContain('');
    },
  );

  it('does not stream in chunks', async () => {
    const { code, err } = await run([...args, '--stream', '--chunk', '9', 'a']);
    expect([code, err]).toEqual([2, expect.stringContaining('--chunk 9 does not go with --stream')]);
  });

  it('cuts a line that is too long, with a warning that names it', async () => {
    const { code, out, err } = await run(args, [`a\n${'word '.repeat(1000)}\n`]);
    expect(code).toBe(0);
    expect(out.split('\n')).toHaveLength(3);
    expect(err).toMatch(/^polybeam: warning: Input 2 is longer than the 12 tokens/);
  });

  it('has no flag for what it could not do', async () => {
    const { code, err } = await run([...args, '--num-return-sequences', '2', 'a']);
    expect(code).toBe(2);
    expect(err).toContain("unknown option '--num-return-sequences'");
  });

  it('refuses a language that the model does not say it knows', async () => {
    const { code, err } = await run([...args, '--to', 'fr', 'a']);
    expect(code).toBe(1);
    expect(err).toContain('[LANGUAGE_UNKNOWN]');
  });

  it('says that text needs a tokenizer', async () => {
    const { code, err } = await run(['translate', '--model', `${fixtures}/marian`, 'a']);
    expect(code).toBe(1);
    expect(err).toContain('[TOKENIZER_MISSING]');
  });
});

describe('polybeam convert', () => {
  it.each(['float32', 'float16', 'int8'])('writes %s weights that generate', async (weights) => {
    const output = join(directory, weights);
    const converted = await run(['convert', '--model', textModel, '--weights', weights, '--output', output]);
    expect(converted).toEqual({ code: 0, out: `${output}/model.safetensors: ${weights}\n`, err: '' });
    const translated = await run(['translate', '--model', output, '--max-new-tokens', '5', 'the end']);
    expect([translated.code, translated.out.length > 1]).toEqual([0, true]);
  });

  it('makes a bert directory of a TensorFlow checkpoint, in float32 unless it is told otherwise', async () => {
    const google = 'test/fixtures/pretrained/tensorflow-bert';
    const output = join(directory, 'google');
    const converted = await run(['convert', google, output]);
    expect(converted).toEqual({ code: 0, out: `${output}/model.safetensors: float32\n`, err: '' });
    const { out } = await run(['forward', '--model', output], ['{"input_ids": [2, 7, 3]}\n']);
    expect(JSON.parse(out).last_hidden_state).toHaveLength(3);
    const twice = await run(['convert', google, output, '--output', 'x']);
    expect(twice.code).toBe(2);
    expect(twice.err).toContain('--output x both name the output: leave one of them out');
  });

  it('stores fewer bytes in narrower formats', () => {
    const size = (weights: string) => statSync(join(directory, weights, 'model.safetensors')).size;
    expect(size('float16')).toBeLessThan(0.7 * size('float32'));
    expect(size('int8')).toBeLessThan(size('float16'));
  });

  it.each([
    [['--weights', 'int2', '--output', 'x'], 'use float32, float16, int8 or int4.'],
    [['--output', 'x'], '--weights is missing'],
    [['--weights', 'int8', '--output', `${textModel}/../marian/`], 'is the model itself'],
  ])('refuses %j', async (flags, message) => {
    const { code, err } = await run(['convert', '--model', textModel, ...flags]);
    expect(code).toBe(2);
    expect(err).toContain(message);
  });
});
