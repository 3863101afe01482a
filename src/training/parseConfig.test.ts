import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import type { PolybeamError } from '../errors.js';
import { trainConfigSchema } from './config.js';
import { parseTrainConfig, parseTrainConfigText, runIdentity } from './parseConfig.js';
import { identityHash } from './runCheckpoint.js';

const minimal = {
  output: 'runs/a',
  data: { train: { source: 'a.en', target: 'a.fr' } },
  budget: { maxUpdates: 100 },
};

/** `minimal` with the value at a dotted path replaced. */
function changed(path: string, value: unknown): Record<string, unknown> {
  const config = structuredClone(minimal) as Record<string, unknown>;
  const keys = path.split('.');
  let inner = config;
  for (const key of keys.slice(0, -1)) {
    inner[key] ??= {};
    inner = inner[key] as Record<string, unknown>;
  }
  inner[keys.at(-1)!] = value;
  return config;
}

function refusal(config: unknown): string {
  try {
    parseTrainConfig(config, 'a.yaml');
  } catch (error) {
    expect((error as PolybeamError).code).toBe('CONFIG_INVALID');
    return (error as Error).message;
  }
  throw new Error('accepted');
}

describe('parseTrainConfig', () => {
  it('fills in defaults and presets from the least that can be said', () => {
    const config = parseTrainConfig(minimal);
    expect(config.data.train).toEqual([{ source: 'a.en', target: 'a.fr', sourceColumn: 1, targetColumn: 2 }]);
    expect(config.model).toMatchObject({ encoderLayers: 6, decoderLayers: 3, dModel: 256, dropout: 0.1 });
    expect(config.optimizer).toMatchObject({ adamBeta1: 0.9, adamBeta2: 0.98, labelSmoothing: 0.1 });
    expect(config.schedule.totalUpdates).toBe(100);
    expect(config.vocabulary).toEqual({ train: {} });
  });

  it('compares in lower case where the vocabulary has no other', () => {
    const lowercase = (vocabulary: object, validation = {}) =>
      parseTrainConfig({ ...minimal, vocabulary, validation }).validation.lowercase;
    expect([lowercase({}), lowercase({ train: { lowercase: true } })]).toEqual([false, true]);
    expect(lowercase({ train: { lowercase: true } }, { lowercase: false })).toBe(false);
  });

  it('takes fields over the preset', () => {
    const config = parseTrainConfig(changed('model', { preset: 'tiny', dropout: 0, decoderLayers: 2 }));
    expect(config.model).toEqual({
      type: 'marian',
      encoderLayers: 4,
      decoderLayers: 2,
      dModel: 128,
      ffnDim: 256,
      attentionHeads: 4,
      dropout: 0,
      attentionDropout: 0,
      activationDropout: 0,
      activationFunction: 'swish',
      maxPositionEmbeddings: 512,
      tieWordEmbeddings: true,
    });
  });

  it.each([
    ['optimizr', {}, 'a.yaml: there is no optimizr (did you mean optimizer?).'],
    [
      'schedule.warmup_updates',
      1,
      'a.yaml: there is no schedule.warmup_updates (did you mean warmupUpdates?).',
    ],
    [
      'data.train',
      [{ sorce: 'x', target: 'y' }],
      'a.yaml: there is no data.train[0].sorce (did you mean source?).',
    ],
    ['earlyStopping.zzz', 1, 'a.yaml: there is no earlyStopping.zzz (known: patience).'],
    ['output', undefined, 'a.yaml: output is missing: give text.'],
    ['model', 'small', 'a.yaml: model is "small" but must be a mapping.'],
    ['model.dropout', 1, 'a.yaml: model.dropout is 1 but must be below 1.'],
    ['model.encoderLayers', 0, 'a.yaml: model.encoderLayers is 0 but must be at least 1.'],
    ['model.encoderLayers', 2.5, 'a.yaml: model.encoderLayers is 2.5 but must be a whole number.'],
    ['model.dModel', 7, 'a.yaml: model.dModel is 7 but must be a multiple of 2.'],
    ['model.type', 'gpt', 'a.yaml: model.type is "gpt" but must be marian.'],
    [
      'schedule.type',
      'inverse_square_root',
      'a.yaml: schedule.type is "inverse_square_root" but must be inverseSquareRoot or linear or cosine or slantedTriangular or constant ' +
        '(did you mean inverseSquareRoot?).',
    ],
    ['seed', 'x', 'a.yaml: seed is "x" but must be a number.'],
    ['seed', 2 ** 32, 'a.yaml: seed is 4294967296 but must be at most 4294967295.'],
    ['data.train', [], 'a.yaml: data.train is [] but must be not empty.'],
    ['data.train', { source: 'x' }, 'a.yaml: data.train[0] has no target: give source and target, or tsv.'],
    [
      'data.validation',
      { tsv: 'x', source: 'y' },
      'a.yaml: data.validation[0] has both tsv (x) and plain files: leave one out.',
    ],
    [
      'vocabulary',
      { tokenizer: 't', train: {} },
      /vocabulary has both tokenizer \(t\) and train: leave one out/,
    ],
    ['vocabulary', { train: { sise: 3 } }, 'a.yaml: there is no vocabulary.train.sise (did you mean size?).'],
    ['vocabulary', { train: { type: 'wordpiece', splitDigits: true } }, /vocabulary\.train: .*splitDigits/],
    ['budget', {}, /training would never end: set budget\.maxUpdates/],
    ['earlyStopping.patience', 3, /nothing to validate on: give data\.validation/],
    ['model.attentionHeads', 3, /model\.dModel \(256\) is not a multiple of model\.attentionHeads \(3\)/],
    ['data.maxLength', 1000, /data\.maxLength \(1000\) is more than model\.maxPositionEmbeddings \(512\)/],
    ['batch.maxTokens', 100, /data\.maxLength \(128\) is more than batch\.maxTokens \(100\)/],
    ['checkpoints.keep', 2, /checkpoints\.averageLast \(5\) is more than checkpoints\.keep \(2\)/],
    ['schedule.type', 'linear', /schedule\.warmupUpdates \(4000\) is not below the 100 updates/],
  ])('refuses %s = %j', (path, value, message) => {
    if (typeof message === 'string') {
      expect(refusal(changed(path, value))).toBe(message);
    } else {
      expect(refusal(changed(path, value))).toMatch(message);
    }
  });

  it('wants an end for schedules that have one', () => {
    const config = { ...changed('schedule', { type: 'cosine' }), budget: { maxEpochs: 3 } };
    expect(refusal(config)).toMatch(/schedule\.type cosine must know its end: set schedule\.totalUpdates/);
  });

  it('names all problems at once, those of values and those of values together', () => {
    expect(refusal({ ...changed('seed', -1), threads: 0, sead: 1, modl: {} })).toBe(
      `a.yaml has 4 problems:
- seed is -1 but must be at least 0;
- threads is 0 but must be at least 1;
- there is no sead (did you mean seed?);
- there is no modl (did you mean model?).`,
    );
    expect(
      refusal({
        ...changed('batch.maxTokens', 100),
        vocabulary: { tokenizer: 't', train: {} },
        budget: {},
        data: { train: [{ source: 'x' }, { target: 'y' }] },
      }),
    ).toBe(
      `a.yaml has 5 problems:
- vocabulary has both tokenizer (t) and train: leave one out;
- data.train[0] has no target: give source and target, or tsv;
- data.train[1] has no source: give source and target, or tsv;
- training would never end: set budget.maxUpdates, budget.maxEpochs, budget.maxMinutes or earlyStopping.patience;
- data.maxLength (128) is more than batch.maxTokens (100), so that one sentence could exceed a batch: lower the one or raise the other.`,
    );
  });

  it('names all mistakes of YAML, with their lines', () => {
    const text = 'output: a\noutput: b\nseed: 1\nseed: 2\n';
    expect(() => parseTrainConfigText(text, 'a.yaml')).toThrow(
      /^a\.yaml is not YAML:\n- at line 2, column 1: [^\n]*;\n- at line 4, column 1: [^\n]*\.$/,
    );
  });

  it('says what is wrong with the whole', () => {
    expect(refusal(null)).toMatch(/output is missing/);
    expect(refusal(3)).toBe('a.yaml: the whole file is 3 but must be a mapping.');
  });

  it('describes every option', () => {
    const walk = (node: z.core.JSONSchema.BaseSchema, path: string): void => {
      for (const [key, child] of Object.entries(node.properties ?? {})) {
        const schema = child as z.core.JSONSchema.BaseSchema;
        expect(schema.description, `${path}${key}`).toMatch(/\.$/);
        walk(schema, `${path}${key}.`);
        walk((schema.items ?? {}) as z.core.JSONSchema.BaseSchema, `${path}${key}[].`);
      }
    };
    walk(z.toJSONSchema(trainConfigSchema, { io: 'input' }), '');
  });
});

describe('parseTrainConfigText', () => {
  it('reads YAML, and names the place of a syntax error', () => {
    const yaml = 'output: runs/a\ndata:\n  train: {source: a, target: b}\nbudget: {maxMinutes: 2.5}\n';
    expect(parseTrainConfigText(yaml, 'a.yaml').budget).toEqual({ maxMinutes: 2.5 });
    expect(() => parseTrainConfigText('output: [runs\ndata: 1\n', 'a.yaml')).toThrow(
      /^a\.yaml is not YAML at line 2, column 1: /,
    );
  });
});

describe('the guide', () => {
  it('shows a configuration that is accepted', () => {
    const guide = readFileSync(new URL('../../docs/guides/training.md', import.meta.url), 'utf8');
    const yaml = /```yaml\n([\s\S]*?)```/.exec(guide)![1];
    expect(parseTrainConfigText(yaml, 'en-fr.yaml')).toMatchObject({
      output: 'runs/en-fr',
      budget: { maxMinutes: 120 },
    });
  });
});

describe('runIdentity', () => {
  const identity = (path: string, value: unknown) =>
    identityHash(runIdentity(parseTrainConfig(changed(path, value)), 'f00d'));
  const same = identity('seed', 1);

  it('changes with what decides the weights', () => {
    for (const [path, value] of [
      ['seed', 2],
      ['model.preset', 'tiny'],
      ['optimizer.labelSmoothing', 0],
      ['schedule.learningRate', 1e-3],
      ['batch.maxTokens', 1000],
      ['data.maxLength', 100],
      ['vocabulary.train', { size: 500 }],
    ] as const) {
      expect(identity(path, value), path).not.toBe(same);
    }
    expect(identityHash(runIdentity(parseTrainConfig(minimal), 'beef'))).not.toBe(same);
  });

  it('does not change with budget, validation, checkpoints, paths and machine', () => {
    for (const [path, value] of [
      ['budget', { maxUpdates: 200 }],
      ['data.train', { tsv: 'moved.tsv' }],
      ['validation.everyUpdates', 10],
      ['checkpoints.keep', 7],
      ['output', 'runs/b'],
      ['threads', 1],
      ['log.everyUpdates', 1],
      ['vocabulary.train', { type: 'bpe' }],
    ] as const) {
      expect(identity(path, value), path).toBe(same);
    }
  });

  it('holds the end of a schedule that has one', () => {
    const linear = (maxUpdates: number) => {
      const config = { ...changed('schedule', { type: 'linear', warmupUpdates: 5 }), budget: { maxUpdates } };
      return identityHash(runIdentity(parseTrainConfig(config), 'f00d'));
    };
    expect(linear(100)).not.toBe(linear(200));
  });

  it('does not depend on the order of keys', () => {
    expect(identityHash({ a: { b: 1, c: 2 }, d: 3 })).toBe(identityHash({ d: 3, a: { c: 2, b: 1 } }));
  });
});
