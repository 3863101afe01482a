import { describe, expect, it } from 'vitest';
import { refusal } from '../../test/support/generation/refusal.js';
import { readGenerationConfig, withinVocabulary } from './generationConfig.js';
import { lengthLimits, lengthWarning, resolveGenerationOptions } from './options.js';

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
    expect(lengthWarning(short, defaults)).toContain('some.json sets min_length to 30');
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
    expect(lengthWarning(less, {})).toContain('min_new_tokens to 30');
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
