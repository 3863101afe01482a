import { describe, expect, it } from 'vitest';
import { type ErrorCode, PolybeamError } from '../errors.js';
import { readGenerationConfig, withinVocabulary } from './generationConfig.js';
import { camelCase, nearestName } from './nearestName.js';
import { generationOptionsSchema, lengthLimits, lengthWarning, resolveGenerationOptions } from './options.js';

function refusal(run: () => unknown): { code: ErrorCode; message: string } {
  try {
    run();
  } catch (error) {
    if (error instanceof PolybeamError) return { code: error.code, message: error.message };
    throw error;
  }
  throw new Error('nothing was refused');
}

describe('resolveGenerationOptions', () => {
  it('has the defaults of Hugging Face', () => {
    expect(resolveGenerationOptions()).toEqual({
      conventions: 'huggingface',
      numBeams: 1,
      numAssistantTokens: 20,
      numAssistantTokensSchedule: 'constant',
      assistantConfidenceThreshold: 0.4,
      maxMatchingNgramSize: 2,
      maxNewTokens: 20,
      minNewTokens: 0,
      lengthPenalty: 1,
      penaltyAlpha: 0,
      prefixBiasBeta: 0,
      returnAlternatives: false,
      minAlternativeExpansionProb: 0,
      numBeamGroups: 1,
      diversityPenalty: 0,
      siblingPenalty: 0,
      coveragePenalty: 0,
      patience: 1,
      earlyStopping: false,
      numReturnSequences: 1,
      orderedConstraints: false,
      returnAttention: false,
      returnLogits: false,
      noRepeatNgramSize: 0,
      repetitionPenalty: 1,
      encoderNoRepeatNgramSize: 0,
      encoderRepetitionPenalty: 1,
      doSample: false,
      temperature: 1,
      topK: 50,
      topP: 1,
      minP: 0,
      typicalP: 1,
      epsilonCutoff: 0,
      etaCutoff: 0,
      seed: expect.any(Number),
    });
  });

  it('takes the caller before the model, and the model before the defaults', () => {
    const resolved = resolveGenerationOptions(
      { numBeams: 2 },
      { numBeams: 6, lengthPenalty: 0.6, maxLength: 512 },
    );
    expect(resolved).toMatchObject({ numBeams: 2, lengthPenalty: 0.6, maxLength: 512 });
    expect(resolved.maxNewTokens).toBeUndefined();
    const limited = resolveGenerationOptions({ maxNewTokens: 7 }, { maxLength: 512 });
    expect(limited.maxNewTokens).toBe(7);
    expect(limited.maxLength).toBeUndefined();
  });

  it('has other defaults under other conventions, after the caller and the model', () => {
    expect(resolveGenerationOptions({ conventions: 'marian', numBeams: 4 })).toMatchObject({
      lengthPenalty: 0,
      minNewTokens: 0,
    });
    const unilm = resolveGenerationOptions({ conventions: 'unilm', numBeams: 4 });
    expect(unilm).toMatchObject({ lengthPenalty: 0, minLength: 2 });
    expect(lengthLimits(unilm, 1, 100).minNewTokens).toBe(1);
    expect(lengthLimits(unilm, 2, 100).minNewTokens).toBe(0);
    expect(
      resolveGenerationOptions({ conventions: 'unilm', minNewTokens: 3 }, { lengthPenalty: 0.6 }),
    ).toMatchObject({ lengthPenalty: 0.6, minNewTokens: 3 });
  });

  it.each([
    [{ conventions: 'fairseq', doSample: true }, ['doSample', 'fairseq']],
    [
      { conventions: 'marian', numBeams: 4, numBeamGroups: 2, diversityPenalty: 1 },
      ['numBeamGroups', 'marian'],
    ],
    [{ conventions: 'unilm', numBeams: 4, siblingPenalty: 1 }, ['siblingPenalty', 'unilm']],
    [{ conventions: 'ctranslate2', numBeams: 4, forceWordsIds: [[3]] }, ['forceWordsIds', 'ctranslate2']],
    [{ conventions: 'ctranslate2', numBeams: 4, earlyStopping: true }, ['earlyStopping', 'ctranslate2']],
    [{ conventions: 'fairseq', numBeams: 4, patience: 2 }, ['patience', 'fairseq']],
    [
      { conventions: 'marian', numBeams: 4, lengthPenalty: 1, wordReward: 1 },
      ['lengthPenalty', 'wordReward'],
    ],
    [{ noRepeatNgramIgnore: [3] }, ['noRepeatNgramIgnore', 'noRepeatNgramSize 0']],
  ])('refuses %j, which its conventions have no use for', (options, names) => {
    const { code, message } = refusal(() => resolveGenerationOptions(options));
    expect(code).toBe('OPTION_CONFLICT');
    for (const name of names) expect(message).toContain(name);
  });

  it('draws a new seed each time, and keeps the one it is given', () => {
    expect(resolveGenerationOptions().seed).not.toBe(resolveGenerationOptions().seed);
    expect(resolveGenerationOptions({ doSample: true, seed: 5 }).seed).toBe(5);
  });

  it.each([
    ['numBeam', 'numBeams'],
    ['num_beams', 'numBeams'],
    ['length-penalty', 'lengthPenalty'],
    ['no_repeat_ngram', 'noRepeatNgramSize'],
    ['top_k', 'topK'],
    ['TopP', 'topP'],
    ['max_length', 'maxNewTokens'],
    ['beam_size', 'numBeams'],
    ['repitition_penalty', 'repetitionPenalty'],
  ])('refuses the unknown name %s and suggests %s', (name, suggestion) => {
    const { code, message } = refusal(() => resolveGenerationOptions({ [name]: 4 }));
    expect(code).toBe('OPTION_UNKNOWN');
    expect(message).toContain(`"${name}"`);
    expect(message).toContain(`did you mean ${suggestion}?`);
  });

  it('lists the names where none is near', () => {
    const { message } = refusal(() => resolveGenerationOptions({ xyzzy: 1 }));
    for (const name of Object.keys(generationOptionsSchema.shape)) expect(message).toContain(name);
  });

  it.each([
    ['numBeams', 0],
    ['numBeams', 2.5],
    ['numBeams', '4'],
    ['numBeams', null],
    ['maxNewTokens', 0],
    ['minNewTokens', -1],
    ['lengthPenalty', Number.NaN],
    ['lengthPenalty', Number.POSITIVE_INFINITY],
    ['earlyStopping', 'always'],
    ['numReturnSequences', 0],
    ['noRepeatNgramSize', -1],
    ['repetitionPenalty', 0],
    ['doSample', 1],
    ['temperature', 0],
    ['topK', -1],
    ['topP', 1.5],
    ['topP', -0.1],
    ['encoderNoRepeatNgramSize', -1],
    ['encoderRepetitionPenalty', 0],
    ['eosTokenId', -1],
    ['forcedBosTokenId', 1.5],
    ['patience', 0],
    ['maxTime', 0],
    ['stopStrings', ''],
    ['signal', 1],
    ['decode', 'x'],
    ['minP', -0.1],
    ['minP', 1.1],
    ['typicalP', 0],
    ['typicalP', 1.1],
    ['epsilonCutoff', 1],
    ['etaCutoff', -0.1],
    ['seed', -3],
    ['seed', 1.5],
  ])('refuses %s %s, naming both and what is accepted', (name, value) => {
    const { code, message } = refusal(() => resolveGenerationOptions({ [name]: value }));
    expect(code).toBe('OPTION_INVALID');
    expect(message).toContain(`${name} cannot be ${typeof value === 'string' ? `"${value}"` : value}`);
    expect(message).toMatch(/Default/);
  });

  it.each([
    [{ doSample: true, numBeams: 2, numReturnSequences: 3 }, {}, ['numReturnSequences 3', 'numBeams 2']],
    [{ numBeams: 2, numReturnSequences: 3 }, {}, ['numReturnSequences 3', 'numBeams 2']],
    [{ numReturnSequences: 2 }, {}, ['numReturnSequences 2', 'numBeams 1', 'doSample']],
    [{ temperature: 0.7 }, {}, ['temperature 0.7', 'doSample']],
    [{ topK: 10 }, {}, ['topK 10', 'doSample']],
    [{ topP: 0.9 }, {}, ['topP 0.9', 'doSample']],
    [{ minP: 0.1 }, {}, ['minP 0.1', 'doSample']],
    [{ typicalP: 0.9 }, {}, ['typicalP 0.9', 'doSample']],
    [{ epsilonCutoff: 0.1 }, {}, ['epsilonCutoff 0.1', 'doSample']],
    [{ etaCutoff: 0.1 }, {}, ['etaCutoff 0.1', 'doSample']],
    [{ seed: 0 }, {}, ['seed 0', 'doSample']],
    [{ earlyStopping: true }, {}, ['earlyStopping true', 'numBeams 1']],
    [{ earlyStopping: 'never' }, {}, ['earlyStopping "never"', 'numBeams 1']],
    [{ lengthPenalty: 0.6 }, {}, ['lengthPenalty 0.6', 'numBeams 1']],
    [{ doSample: true, lengthPenalty: 2 }, {}, ['lengthPenalty 2', 'numBeams 1']],
    [{ minNewTokens: 9, maxNewTokens: 8 }, {}, ['minNewTokens 9', 'maxNewTokens 8']],
    [{ numBeamGroups: 2, diversityPenalty: 1 }, {}, ['numBeamGroups 2', 'numBeams 1']],
    [{ siblingPenalty: 1 }, {}, ['siblingPenalty 1', 'numBeams 1']],
    [{ numBeams: 4, numBeamGroups: 3, diversityPenalty: 1 }, {}, ['numBeamGroups 3', 'numBeams 4']],
    [{ numBeams: 4, numBeamGroups: 2 }, {}, ['numBeamGroups 2', 'diversityPenalty']],
    [{ numBeams: 4, diversityPenalty: 1 }, {}, ['diversityPenalty 1', 'numBeamGroups']],
    [
      { numBeams: 4, numBeamGroups: 2, diversityPenalty: 1, siblingPenalty: 1 },
      {},
      ['siblingPenalty 1', 'numBeamGroups 2'],
    ],
    [{ forceWordsIds: [[3]] }, {}, ['forceWordsIds [[3]]', 'numBeams 1']],
    [
      { numBeams: 2, forceWordsIds: [[3]], allowedSequences: [[3]] },
      {},
      ['allowedSequences', 'forceWordsIds'],
    ],
    [{ numBeams: 4, forceWordsIds: [[3]], siblingPenalty: 1 }, {}, ['siblingPenalty', 'forceWordsIds']],
    [{ patience: 2 }, {}, ['patience 2', 'numBeams 1']],
    [{ wordReward: 1 }, {}, ['wordReward 1', 'numBeams 1']],
    [{ numBeams: 4, wordReward: 1, gnmtLengthPenalty: 1 }, {}, ['wordReward 1', 'gnmtLengthPenalty 1']],
    [{ numBeams: 4, wordReward: 1, lengthPenalty: 0.6 }, {}, ['wordReward 1', 'lengthPenalty 0.6']],
    [{ numBeams: 4, patience: 0.5, numReturnSequences: 3 }, {}, ['patience 0.5', 'numReturnSequences 3']],
    [{ stopStrings: '.' }, {}, ['stopStrings "."', 'decode']],
    [{ decode: () => [] }, {}, ['decode', 'stopStrings']],
    [{ minNewTokens: 21 }, {}, ['minNewTokens 21', 'maxNewTokens 20']],
  ])('refuses the pair in %j over %j', (user, model, named) => {
    const { code, message } = refusal(() => resolveGenerationOptions(user, model));
    expect(code).toBe('OPTION_CONFLICT');
    for (const part of named) expect(message).toContain(part);
  });

  it('passes over model defaults that do not apply, and options equal to what holds anyway', () => {
    expect(
      resolveGenerationOptions({ numBeams: 2, wordReward: 1, lengthPenalty: 1 }, { lengthPenalty: 2 }),
    ).toBeTruthy();
    const groups = { numBeams: 4, numBeamGroups: 2, diversityPenalty: 1 };
    expect(resolveGenerationOptions({ numBeams: 1 }, groups).numBeams).toBe(1);
    expect(resolveGenerationOptions({ numBeamGroups: 1 }, groups).numBeamGroups).toBe(1);
    expect(resolveGenerationOptions({}, { temperature: 0.7, topP: 0.9, lengthPenalty: 0.6 }).numBeams).toBe(
      1,
    );
    expect(
      resolveGenerationOptions({ temperature: 1, topP: 1, lengthPenalty: 1, earlyStopping: false }),
    ).toBeTruthy();
    expect(resolveGenerationOptions({ numReturnSequences: 3, doSample: true }).numReturnSequences).toBe(3);
    expect(resolveGenerationOptions({ minNewTokens: 8, maxNewTokens: 8 })).toBeTruthy();
    expect(resolveGenerationOptions({ topK: 0, topP: 0, doSample: true })).toMatchObject({
      topK: 0,
      topP: 0,
    });
  });

  it('describes every option with its default', () => {
    for (const option of Object.values(generationOptionsSchema.shape))
      expect(option.description).toMatch(/Default/);
  });
});

describe('lengthLimits', () => {
  const asked = (maxNewTokens: number) => resolveGenerationOptions({ maxNewTokens });

  it('counts maxLength with the prompt, maxNewTokens without', () => {
    const byModel = resolveGenerationOptions({}, { maxLength: 12, minLength: 5 });
    expect(lengthLimits(byModel, 1, 512)).toEqual({ maxNewTokens: 11, minNewTokens: 4 });
    expect(lengthLimits(byModel, 7, 512)).toEqual({ maxNewTokens: 5, minNewTokens: 0 });
    expect(lengthLimits(asked(12), 7, 512)).toEqual({ maxNewTokens: 12, minNewTokens: 0 });
  });

  it('fills the positions to the last, which is never read', () => {
    expect(lengthLimits(asked(8), 1, 8).maxNewTokens).toBe(8);
    expect(refusal(() => lengthLimits(asked(9), 1, 8))).toMatchObject({ code: 'OPTION_INVALID' });
    expect(lengthLimits(resolveGenerationOptions({}, { maxLength: 99 }), 1, 8).maxNewTokens).toBe(8);
  });

  it('refuses prompts that leave no room', () => {
    const byModel = resolveGenerationOptions({}, { maxLength: 4 });
    expect(refusal(() => lengthLimits(byModel, 4, 512))).toMatchObject({ code: 'OPTION_CONFLICT' });
    expect(refusal(() => lengthLimits(asked(2), 10, 8))).toMatchObject({ code: 'INPUT_INVALID' });
    const least = resolveGenerationOptions({ minNewTokens: 6 }, { maxLength: 8 });
    expect(refusal(() => lengthLimits(least, 4, 512))).toMatchObject({ code: 'OPTION_CONFLICT' });
  });
});

describe('readGenerationConfig', () => {
  const origin = { file: 'generation_config.json', unusable: {} };

  it('reads what Marian checkpoints carry', () => {
    const { defaults, rules } = readGenerationConfig({
      bad_words_ids: [[58100], [0]],
      bos_token_id: 0,
      decoder_start_token_id: 58100,
      eos_token_id: 0,
      forced_eos_token_id: 0,
      max_length: 512,
      num_beams: 6,
      pad_token_id: 58100,
      renormalize_logits: true,
      transformers_version: '4.32.0.dev0',
      _from_model_config: true,
    });
    expect(defaults).toEqual({ numBeams: 6, maxLength: 512, badWordsIds: [[58100], [0]], origin });
    expect(rules).toEqual({
      decoderStartTokenId: 58100,
      eosTokenIds: [0],
      padTokenId: 58100,
      forcedEosTokenIds: [0],
      renormalize: true,
    });
  });

  it('reads every control by the name that transformers gives it', () => {
    const { defaults } = readGenerationConfig({
      decoder_start_token_id: 0,
      suppress_tokens: [3, 4],
      begin_suppress_tokens: [5],
      bad_words_ids: [[6, 7]],
      sequence_bias: [[[8, 9], -1.5]],
      force_words_ids: [[2], [[3], [4, 5]]],
      exponential_decay_length_penalty: [10, 1.2],
      encoder_no_repeat_ngram_size: 3,
      encoder_repetition_penalty: 1.3,
      min_p: 0.1,
      typical_p: 0.9,
      epsilon_cutoff: 0.01,
      eta_cutoff: 0.02,
      max_time: 2.5,
      num_beams: 4,
      num_beam_groups: 2,
      diversity_penalty: 0.7,
    });
    expect(defaults).toEqual({
      suppressTokens: [3, 4],
      beginSuppressTokens: [5],
      badWordsIds: [[6, 7]],
      sequenceBias: [[[8, 9], -1.5]],
      forceWordsIds: [[2], [[3], [4, 5]]],
      exponentialDecayLengthPenalty: [10, 1.2],
      encoderNoRepeatNgramSize: 3,
      encoderRepetitionPenalty: 1.3,
      minP: 0.1,
      typicalP: 0.9,
      epsilonCutoff: 0.01,
      etaCutoff: 0.02,
      maxTime: 2.5,
      numBeams: 4,
      numBeamGroups: 2,
      diversityPenalty: 0.7,
      origin,
    });
  });

  it('passes over null, neutral and foreign keys', () => {
    const json = {
      bos_token_id: 2,
      eos_token_id: null,
      guidance_scale: 1,
      use_cache: true,
      x: 1,
    };
    expect(readGenerationConfig({ eos_token_id: 5 }, 'some.json', { startToken: false }).rules).toEqual({
      eosTokenIds: [5],
      padTokenId: 5,
    });
    expect(readGenerationConfig(json)).toEqual({
      defaults: { origin },
      rules: { decoderStartTokenId: 2, eosTokenIds: [], padTokenId: 2 },
    });
  });

  it.each([
    [{ guidance_scale: 2 }, 'guidance_scale to 2'],
    [{ repetition_penalty: 0 }, 'repetition_penalty to 0'],
    [{ num_beam_groups: 0 }, 'num_beam_groups'],
    [{ bad_words_ids: [[1], []] }, 'bad_words_ids'],
    [{ sequence_bias: { '(1, 2)': 3 } }, 'sequence_bias'],
    [{ num_beams: 0 }, 'num_beams'],
    [{ max_length: -1 }, 'max_length'],
    [{ suppress_tokens: [-1, 0.5] }, 'suppress_tokens'],
    [{ eos_token_id: 'x' }, 'eos_token_id'],
    [{ decoder_start_token_id: null }, 'decoder_start_token_id'],
  ])('refuses %j by name', (json, name) => {
    const { code, message } = refusal(() =>
      readGenerationConfig({ decoder_start_token_id: 0, ...json }, 'some.json'),
    );
    expect(code).toBe('CONFIG_INVALID');
    expect(message).toContain('some.json');
    expect(message).toContain(name);
  });

  // Each decodes greedily with transformers 5.23, which reads none of these.
  it.each([
    { top_p: 1.5, typical_p: 2, epsilon_cutoff: -1, eta_cutoff: 1 },
    { no_repeat_ngram_size: -1, encoder_no_repeat_ngram_size: -1, min_length: -1, min_new_tokens: -1 },
    { suppress_tokens: [-1], begin_suppress_tokens: [-1], eos_token_id: -1, pad_token_id: -1 },
  ])('passes over %j, which is off in transformers', (json) => {
    expect(readGenerationConfig({ decoder_start_token_id: 0, ...json })).toEqual({
      defaults: { origin },
      rules: { decoderStartTokenId: 0, eosTokenIds: [], padTokenId: 0 },
    });
  });

  it('refuses wrong values of sampling where somebody samples and does not replace them', () => {
    const file = { decoder_start_token_id: 0, temperature: 0.0, top_k: -1, typical_p: 0, top_h: 0.5 };
    const { defaults } = readGenerationConfig(file, 'some.json');
    expect(resolveGenerationOptions({}, defaults)).toMatchObject({ temperature: 1, topK: 50, typicalP: 1 });
    const usable = readGenerationConfig({ ...file, top_h: null }, 'some.json').defaults;
    const replaced = { doSample: true, temperature: 0.7, topK: 5 };
    expect(refusal(() => resolveGenerationOptions(replaced, usable))).toMatchObject({
      code: 'CONFIG_INVALID',
      message: expect.stringContaining('some.json sets typical_p to 0: '),
    });
    const all = resolveGenerationOptions({ ...replaced, typicalP: 0.9 }, usable);
    expect(all).toMatchObject({ temperature: 0.7, topK: 5, typicalP: 0.9 });
    expect(refusal(() => resolveGenerationOptions({ ...replaced, typicalP: 0.9 }, defaults))).toMatchObject({
      message: expect.stringContaining('some.json sets top_h to 0.5'),
    });
    const contrast = { penaltyAlpha: 0.6 };
    expect(refusal(() => resolveGenerationOptions(contrast, usable)).message).toContain('top_k to -1');
  });

  it('lets lengths of the file give way, with a warning, and refuses those of the caller', () => {
    const { defaults } = readGenerationConfig({ decoder_start_token_id: 0, min_length: 30 }, 'some.json');
    const short = resolveGenerationOptions({ maxNewTokens: 6 }, defaults);
    expect(lengthLimits(short, 1, 48)).toEqual({ minNewTokens: 6, maxNewTokens: 6 });
    expect(lengthWarning(short, defaults)).toContain('some.json sets min_length 30');
    const long = resolveGenerationOptions({ maxNewTokens: 29 }, defaults);
    expect(lengthLimits(long, 1, 48)).toEqual({ minNewTokens: 29, maxNewTokens: 29 });
    expect(lengthWarning(long, defaults)).toBeUndefined();
    const least = { minNewTokens: 30, maxNewTokens: 400 };
    expect(lengthLimits(resolveGenerationOptions({}, least), 1, 20)).toEqual({
      minNewTokens: 20,
      maxNewTokens: 20,
    });
    const less = resolveGenerationOptions({ maxNewTokens: 6 }, least);
    expect(lengthLimits(less, 1, 48)).toEqual({ minNewTokens: 6, maxNewTokens: 6 });
    expect(lengthWarning(less, {})).toContain('min_new_tokens 30');
    expect(refusal(() => resolveGenerationOptions({ minNewTokens: 7, maxNewTokens: 6 })).code).toBe(
      'OPTION_CONFLICT',
    );
    expect(refusal(() => lengthLimits(resolveGenerationOptions({ maxNewTokens: 400 }), 1, 20)).code).toBe(
      'OPTION_INVALID',
    );
  });

  it('says what of a conflict the file set', () => {
    const file = { decoder_start_token_id: 0, num_return_sequences: 3, num_beams: 4, max_new_tokens: 5 };
    const { defaults } = readGenerationConfig(file, 'some.json');
    const { message } = refusal(() => resolveGenerationOptions({ numBeams: 2 }, defaults));
    expect(message).toMatch(
      /^numReturnSequences 3 is more than numBeams 2; .* some.json sets num_return_sequences to 3\.$/,
    );
    expect(refusal(() => resolveGenerationOptions({ minNewTokens: 9 }, defaults)).message).toMatch(
      / some.json sets max_new_tokens to 5\.$/,
    );
    const own = refusal(() => resolveGenerationOptions({ numBeams: 2, numReturnSequences: 3 }, defaults));
    expect(own.message).not.toContain('some.json');
  });

  it('leaves out tokens that the vocabulary lacks where transformers passes over them, and refuses others', () => {
    const within = (json: object) =>
      withinVocabulary(
        readGenerationConfig({ decoder_start_token_id: 0, ...json }, 'some.json'),
        72,
        'some.json',
      );
    const passed = within({ eos_token_id: [0, 99], suppress_tokens: [99, 5], begin_suppress_tokens: [72] });
    expect(passed.rules.eosTokenIds).toEqual([0]);
    expect(passed.defaults).toMatchObject({ suppressTokens: [5], beginSuppressTokens: [] });
    for (const [json, key] of [
      [{ bad_words_ids: [[7, 99]] }, 'bad_words_ids'],
      [{ sequence_bias: [[[99], 1]] }, 'sequence_bias'],
      [{ force_words_ids: [[[1], [99]]] }, 'force_words_ids'],
      [{ forced_bos_token_id: 99 }, 'forced_bos_token_id'],
      [{ forced_eos_token_id: [0, 99] }, 'forced_eos_token_id'],
      [{ decoder_start_token_id: 99 }, 'decoder_start_token_id'],
    ] as const) {
      const { code, message } = refusal(() => within(json));
      expect(code).toBe('CONFIG_INVALID');
      expect(message).toContain(`some.json names token 99 in ${key}:`);
    }
  });
});

describe('nearestName', () => {
  it('ignores spelling conventions and stays silent on strangers', () => {
    expect(camelCase('no_repeat-ngram_size')).toBe('noRepeatNgramSize');
    expect(nearestName('TOP_P', ['topK', 'topP'])).toBe('topP');
    expect(nearestName('completely', ['topK', 'topP'])).toBeUndefined();
    expect(nearestName('x', [])).toBeUndefined();
  });
});
