/**
 * How many candidates of a row to ask for so that `topK` of them are allowed (Fan et al., "Hierarchical neural story
 * generation", 2018, section 5.4): 0, all, where top-k is off.
 *
 * @param extra how many of the best may turn out to be forbidden
 */
export function topKCandidates(topK: number, extra: number, vocabSize: number): number {
  return topK === 0 || topK + extra >= vocabSize ? 0 : topK + extra;
}
