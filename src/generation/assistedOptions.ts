import { z } from 'zod';
import { type AssistantModel, isAssistantModel } from './assistant.js';

/** The options of assisted decoding, part of `generationOptionsSchema`. */
export const assistedOptionFields = {
  assistantModel: z
    .custom<AssistantModel>(isAssistantModel)
    .optional()
    .describe(
      'A smaller model with the same vocabulary, as loadModel returns it, that drafts tokens for greedy search; the model checks a draft in one pass and keeps the tokens that it would have chosen itself (Leviathan et al. 2023). Outputs do not change. Default: none.',
    ),
  numAssistantTokens: z
    .int()
    .min(1)
    .optional()
    .describe('With assistantModel: maximum number of tokens in a draft, an integer from 1. Default 20.'),
  numAssistantTokensSchedule: z
    .enum(['constant', 'heuristic'])
    .optional()
    .describe(
      'With assistantModel: whether numAssistantTokens stays the same (constant), or grows by 2 after an entirely correct draft and shrinks by 1 after any other (heuristic; starts again for each output). Default constant.',
    ),
  assistantConfidenceThreshold: z
    .number()
    .min(0)
    .max(1)
    .optional()
    .describe(
      'With assistantModel: a draft ends with the first token whose probability under the assistant is below this; a number from 0 (no limit) to 1. Default 0.4.',
    ),
  promptLookupNumTokens: z
    .int()
    .min(1)
    .optional()
    .describe(
      'Drafts without a second model, for outputs that repeat the source, the prompt or themselves: the draft is the tokens, at most this many, that followed an earlier occurrence of the last tokens; an integer from 1, such as 10. Outputs do not change. Default: none.',
    ),
  maxMatchingNgramSize: z
    .int()
    .min(1)
    .optional()
    .describe(
      'With promptLookupNumTokens: maximum number of last tokens to search for, an integer from 1; if they are not found, fewer are tried. Default 2.',
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
