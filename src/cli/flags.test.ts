import { Command } from 'commander';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { PolybeamError } from '../errors.js';
import { addSchemaFlags, describeFlags, schemaValues, withFlagNames } from './flags.js';

const schema = z.strictObject({
  numBeams: z.int().min(1).default(4).describe('Beams kept.'),
  lengthPenalty: z.number().optional().describe('Exponent.'),
  doSample: z.boolean().optional().describe('Draw at random.'),
  lowercase: z.boolean().default(false).describe('Lower-case.'),
  earlyStopping: z
    .union([z.boolean(), z.literal('never')])
    .optional()
    .describe('When to stop.'),
  type: z.enum(['bpe', 'wordpiece']).default('bpe').describe('Kind.'),
  badWords: z.array(z.array(z.int())).optional().describe('Forbidden ids.'),
  noRepeatNgramSize: z.int().min(0).default(0).describe('No n-gram twice.'),
  name: z.string().min(2).optional().describe('Name.'),
  signal: z.custom<AbortSignal>().optional().describe('Aborts.'),
});

function read(...args: string[]) {
  const command = addSchemaFlags(new Command('test').exitOverride(), schema);
  command.parse(args, { from: 'user' });
  return schemaValues(schema, command.opts());
}

describe('flags of a schema', () => {
  it('gives nothing that was not given: defaults are filled in later', () => {
    expect(read()).toEqual({});
  });

  it('has none for what only code can give', () => {
    expect(describeFlags(schema).find(({ name }) => name === 'signal')).toEqual({
      name: 'signal',
      description: 'Aborts.',
    });
    expect(() => read('--signal', 'x')).toThrow('unknown option');
  });

  it.each([
    [['--num-beams', '5'], { numBeams: 5 }],
    [['--length-penalty', '-0.5'], { lengthPenalty: -0.5 }],
    [['--length-penalty=1e-2'], { lengthPenalty: 0.01 }],
    [['--do-sample'], { doSample: true }],
    [['--no-do-sample'], { doSample: false }],
    [['--no-lowercase'], { lowercase: false }],
    [['--early-stopping', 'true'], { earlyStopping: true }],
    [['--early-stopping', 'false'], { earlyStopping: false }],
    [['--early-stopping', 'never'], { earlyStopping: 'never' }],
    [['--type', 'wordpiece'], { type: 'wordpiece' }],
    [['--bad-words', '[[1],[2,3]]'], { badWords: [[1], [2, 3]] }],
    [['--no-repeat-ngram-size', '3'], { noRepeatNgramSize: 3 }],
    [['--name', '12'], { name: '12' }],
  ])('reads %j', (args, values) => {
    expect(read(...args)).toEqual(values);
  });

  it.each([
    [['--num-beams', '0'], /^--num-beams cannot be "0" \(too small.*\): Beams kept\.$/],
    [['--num-beams', '1.5'], /^--num-beams cannot be "1.5"/],
    [['--num-beams', ''], /^--num-beams cannot be ""/],
    [['--num-beams', '0x10'], /^--num-beams cannot be "0x10"/],
    [['--length-penalty', 'NaN'], /^--length-penalty cannot be "NaN"/],
    [['--early-stopping', 'yes'], /: use true, false or never\.$/],
    [['--type', 'word'], /: use bpe or wordpiece\.$/],
    [['--bad-words', '[[1'], /JSON is wanted/],
    [['--bad-words', '[["a"]]'], /^--bad-words cannot be/],
    [['--name', 'x'], /^--name cannot be "x"/],
  ])('refuses %j', (args, message) => {
    expect(() => read(...args)).toThrow(
      expect.objectContaining({ code: 'OPTION_INVALID', message: expect.stringMatching(message) }),
    );
  });

  it('shows placeholders, descriptions and defaults', () => {
    expect(describeFlags(schema).slice(0, 2)).toEqual([
      { name: 'numBeams', flag: '--num-beams <n>', description: 'Beams kept.', preset: '4' },
      { name: 'lengthPenalty', flag: '--length-penalty <number>', description: 'Exponent.' },
    ]);
    const help = addSchemaFlags(new Command('test'), schema, ['name']).helpInformation();
    expect(help).toContain('--early-stopping <true|false|never>');
    expect(help).toContain('(default: 4)');
    expect(help).toContain('(off: --no-do-sample)');
    expect(help).not.toContain('--no-lowercase');
    expect(help).not.toContain('--name');
  });

  it('spells option names as flags in refusals, and leaves other errors alone', async () => {
    const refuse = (code: 'OPTION_CONFLICT' | 'INPUT_INVALID') => () => {
      throw new PolybeamError(code, 'numBeams 4 excludes doSample; see --num-beams and rename.');
    };
    await expect(withFlagNames(schema, refuse('OPTION_CONFLICT'))).rejects.toThrow(
      '--num-beams 4 excludes --do-sample; see --num-beams and rename.',
    );
    await expect(withFlagNames(schema, refuse('INPUT_INVALID'))).rejects.toThrow(
      'numBeams 4 excludes doSample',
    );
    expect(await withFlagNames(schema, () => 3)).toBe(3);
  });
});
