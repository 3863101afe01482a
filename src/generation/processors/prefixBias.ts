import type { SearchContext } from '../selector.js';
import type { Candidates } from '../stepModel.js';
import type { Forcing } from './forcedTokens.js';

/**
 * A prefix as a preference, not forced (Arivazhagan et al., "Re-translation versus streaming for
 * simultaneous translation", 2020, biased beam search): while a hypothesis equals the prefix so far, the probability of each next
 * token is
 *
 *     p'(y) = (1 - β) p(y) + β [y is the next token of the prefix]
 *
 * with `prefixBiasBeta` β and p after all processors; after the first difference it is p. A token that is forbidden or hidden
 * stays so, and nothing is biased at that position. Search and scores use p'.
 *
 * A row's best candidates by p' are its best by p, with the prefix's token inserted at its rank. The token's logit is looked up;
 * nothing else is needed from the model.
 *
 * @param prefixes of each sentence [batch]
 * @param forcing other forced tokens; it must look up nothing
 */
export function withPrefixBias(
  { frontier, batch, options, classes }: SearchContext,
  prefixes: readonly (readonly number[])[],
  forcing: Forcing,
): Forcing {
  const { beams } = frontier;
  const beta = options.prefixBiasBeta;
  const offset = Math.log(1 - beta);
  /** 1 where the row's hypothesis agrees with its prefix so far; by sentence, so that it stays when others leave. */
  const agrees = new Uint8Array(batch * beams).fill(1);
  const before = new Uint8Array(beams);
  const room = new Int32Array(batch * beams);
  let wanted = room;

  /** Follows the choice of new token number `count`. */
  function follow(count: number): void {
    for (let slot = 0; slot < frontier.active; slot++) {
      if (frontier.finished[slot]) continue;
      const sentence = frontier.sentences[slot];
      const token = prefixes[sentence][count - 1] ?? -1;
      const own = agrees.subarray(sentence * beams, (sentence + 1) * beams);
      before.set(own);
      for (let beam = 0; beam < beams; beam++) {
        const row = slot * beams + beam;
        own[beam] = frontier.tokens[row] === token ? before[frontier.parents[row]] : 0;
      }
    }
  }

  return {
    forces: forcing.forces,
    spares: forcing.spares,
    lookup: (rows, count) => {
      if (count > 1) follow(count - 1);
      wanted = room.subarray(0, frontier.active * rows);
      for (let row = 0; row < wanted.length; row++) {
        const slot = Math.floor(row / rows);
        const sentence = frontier.sentences[slot];
        const open = frontier.finished[slot] === 0 && agrees[sentence * beams + (row % rows)] === 1;
        wanted[row] = open ? (prefixes[sentence][count - 1] ?? -1) : -1;
      }
      return { lookup: wanted, lookupWidth: 1 };
    },
    offer: (candidates, rows, count, hidden) => {
      const offered = forcing.offer(candidates, rows, count, hidden);
      if (offered !== candidates) return offered;
      for (let row = 0; row < wanted.length; row++) {
        if (wanted[row] >= 0 && (classes[wanted[row]] & hidden) !== 0) wanted[row] = -1;
      }
      const biased = wanted.some((token) => token >= 0);
      return biased ? biasedCandidates(candidates, wanted, beta, offset) : candidates;
    },
  };
}

/** @param wanted the prefix's token of each row, -1 for none @param offset log(1 - beta) */
function biasedCandidates(
  { rows, width, ids, logits, logSumExp, lookedUp }: Candidates,
  wanted: Int32Array,
  beta: number,
  offset: number,
): Candidates {
  const biased = { rows, width, ids: ids!.slice(), logits: logits.slice(), logSumExp: logSumExp.slice() };
  for (let row = 0; row < rows; row++) {
    const token = wanted[row];
    const logit = lookedUp![row];
    if (token < 0 || logit === Number.NEGATIVE_INFINITY) continue;
    const probability = Math.exp(logit - logSumExp[row]);
    biased.logSumExp[row] = logSumExp[row] - offset;
    const value = Math.log((1 - beta) * probability + beta) + biased.logSumExp[row];
    raise(biased, row, token, value);
  }
  return biased;
}

/** Puts a token whose logit has grown where it belongs among a row's candidates, best first; the last makes room. */
function raise(
  { ids, logits, width }: { ids: Int32Array; logits: Float32Array; width: number },
  row: number,
  token: number,
  logit: number,
): void {
  const start = row * width;
  const found = ids.subarray(start, start + width).indexOf(token);
  let at = start + (found < 0 ? width - 1 : found);
  if (found < 0 && !(logit > logits[at])) return;
  for (; at > start && logit > logits[at - 1]; at--) {
    ids[at] = ids[at - 1];
    logits[at] = logits[at - 1];
  }
  ids[at] = token;
  logits[at] = logit;
}
