import { z } from 'zod';
import { type AssistantModel, isAssistantModel } from './assistant.js';

/** The options of assisted decoding, part of `generationOptionsSchema`. */
export const assistedOptionFields = {
  assistantModel: z
    .custom<AssistantModel>(isAssistantModel)
    .optional()
    .describe(
      'A smaller model of the same vocabulary, as loadModel gives it, that drafts tokens ahead for greedy search; the model checks a draft in one pass and keeps what it would have chosen itself (Leviathan et al. 2023). Outputs stay the same. Default: none.',
    ),
  numAssistantTokens: z
    .int()
    .min(1)
    .optional()
    .describe('With assistantModel: most tokens of a draft, an integer from 1. Default 20.'),
  numAssistantTokensSchedule: z
    .enum(['constant', 'heuristic'])
    .optional()
    .describe(
      'With assistantModel: whether numAssistantTokens stays (constant), or grows by 2 after a draft that was right throughout and shrinks by 1 after another (heuristic; each output begins anew). Default constant.',
    ),
  assistantConfidenceThreshold: z
    .number()
    .min(0)
    .max(1)
    .optional()
    .describe(
      'With assistantModel: a draft ends with the first token whose probability the assistant puts below this; a number from 0, which ends none, to 1. Default 0.4.',
    ),
  promptLookupNumTokens: z
    .int()
    .min(1)
    .optional()
    .describe(
      'Drafts without a second model, for outputs that repeat the source, the prompt or themselves: where the last tokens occurred before, the tokens that followed there, at most this many, are the draft; an integer from 1, such as 10. Outputs stay the same. Default: none.',
    ),
  maxMatchingNgramSize: z
    .int()
    .min(1)
    .optional()
    .describe(
      'With promptLookupNumTokens: most last tokens that are looked for, an integer from 1; fewer where so many are not found. Default 2.',
    ),
} as const;

/** Defaults of those that have one, as transformers 5 has them. */
export const assistedDefaults = {
  numAssistantTokens: 20,
  numAssistantTokensSchedule: 'constant',
  assistantConfidenceThreshold: 0.4,
  maxMatchingNgramSize: 2,
} as const;

/** Those defaults' place in the resolved options. */
export interface ResolvedAssistedOptions {
  numAssistantTokens: number;
  numAssistantTokensSchedule: 'constant' | 'heuristic';
  assistantConfidenceThreshold: number;
  maxMatchingNgramSize: number;
}

/** Whether drafts are wanted. */
export function isAssisted(options: {
  assistantModel?: AssistantModel;
  promptLookupNumTokens?: number;
}): boolean {
  return options.assistantModel !== undefined || options.promptLookupNumTokens !== undefined;
}
