import { describe, expect, it } from 'vitest';
import { refusal } from '../../test/support/generation/refusal.js';
import { camelCase, nearestName } from './nearestName.js';
import { generationOptionsSchema, lengthLimits, resolveGenerationOptions } from './options.js';

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

describe('nearestName', () => {
  it('ignores spelling conventions and stays silent on strangers', () => {
    expect(camelCase('no_repeat-ngram_size')).toBe('noRepeatNgramSize');
    expect(nearestName('TOP_P', ['topK', 'topP'])).toBe('topP');
    expect(nearestName('completely', ['topK', 'topP'])).toBeUndefined();
    expect(nearestName('x', [])).toBeUndefined();
  });
});
