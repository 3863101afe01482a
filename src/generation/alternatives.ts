import { type SearchRequest, searchBatch } from './search.js';
import type { GeneratedSequence } from './selector.js';
import type { SourceBatch, StepModel } from './stepModel.js';

/**
 * Alternatives at a position (`return_alternatives` of CTranslate2): the `numReturnSequences` most probable tokens after each
 * prompt, end tokens aside, and for each the best output that goes on from there.
 *
 * A search of one token finds the tokens; then each is appended to its prompt and completed by a search of its own. So an
 * alternative is what forcing its beginning gives.
 *
 * @returns for each sentence the alternatives, most probable next token first; those less probable than
 * `minAlternativeExpansionProb` are left out, but never the first. A score is the token's log-probability plus the score of
 * what follows it.
 * @throws what `searchBatch` throws
 */
export async function searchAlternatives(
  model: StepModel,
  request: SearchRequest,
): Promise<GeneratedSequence[][]> {
  const { limits, options, source } = request;
  const expanded = await expand(model, request);
  if (limits.maxNewTokens === 1) return expanded;
  const chosen = expanded.flatMap((list, sentence) =>
    list.map((one) => ({ sentence, one, token: one.ids[one.ids.length - 1] })),
  );
  const completed: GeneratedSequence[] = [];
  for (let from = 0; from < chosen.length; from += source.batch) {
    const part = chosen.slice(from, from + source.batch);
    const rows = part.map(({ sentence }) => sentence);
    const outputs = await searchBatch(model, {
      ...request,
      source: rowsOfSource(source, rows),
      sourceLengths: request.sourceLengths && rows.map((row) => request.sourceLengths![row]),
      prompt: Int32Array.from(part.flatMap(({ sentence, token }) => [...promptOf(request, sentence), token])),
      promptLength: request.promptLength + 1,
      options: { ...options, numReturnSequences: 1 },
      limits: {
        minNewTokens: Math.max(0, limits.minNewTokens - 1),
        maxNewTokens: limits.maxNewTokens - 1,
      },
      sentenceIds: rows.map((row) => request.sentenceIds[row]),
    });
    completed.push(...outputs.map(([best]) => best));
  }
  const results: GeneratedSequence[][] = expanded.map(() => []);
  chosen.forEach(({ sentence, one }, at) => {
    results[sentence].push(joined(one, completed[at]));
  });
  return results;
}

/** The most probable next tokens of each sentence, as outputs of one new token. */
async function expand(model: StepModel, request: SearchRequest): Promise<GeneratedSequence[][]> {
  const { options, limits, rules } = request;
  const wanted = options.numReturnSequences;
  const numBeams = Math.max(2, wanted);
  const lists = await searchBatch(model, {
    ...request,
    options: {
      ...options,
      numBeams,
      numReturnSequences: numBeams,
      // Attention is read when the whole is.
      returnAttention: options.returnAttention && limits.maxNewTokens === 1,
      numBeamGroups: 1,
      coveragePenalty: 0,
      patience: 1,
      stopStrings: undefined,
      decode: undefined,
    },
    limits: { minNewTokens: 1, maxNewTokens: 1 },
    rules: { ...rules, forcedEosTokenIds: undefined },
  });
  return lists.map((list) =>
    list
      .slice(0, wanted)
      .filter(
        ({ tokenLogProbabilities: [first] }, rank) =>
          rank === 0 || Math.exp(first) >= options.minAlternativeExpansionProb,
      )
      .map((one) => ({ ...one, score: one.tokenLogProbabilities[0] })),
  );
}

/** An alternative: its first token and what follows. */
function joined(first: GeneratedSequence, rest: GeneratedSequence): GeneratedSequence {
  return {
    ...rest,
    score: first.score + rest.score,
    tokenLogProbabilities: [...first.tokenLogProbabilities, ...rest.tokenLogProbabilities],
    ...(rest.logits && { logits: [...(first.logits ?? []), ...rest.logits] }),
  };
}

function promptOf({ prompt, promptLength }: SearchRequest, sentence: number): Int32Array {
  return prompt.subarray(sentence * promptLength, (sentence + 1) * promptLength);
}

/** @param rows sentences, of which one may come several times */
function rowsOfSource(
  { inputIds, attentionMask, source }: SourceBatch,
  rows: readonly number[],
): SourceBatch {
  const pick = (values: Int32Array) =>
    Int32Array.from(rows.flatMap((row) => [...values.subarray(row * source, (row + 1) * source)]));
  return { inputIds: pick(inputIds), attentionMask: pick(attentionMask), batch: rows.length, source };
}
