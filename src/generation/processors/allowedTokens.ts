import { PolybeamError } from '../../errors.js';
import { inputName, showValue } from '../../inputs.js';
import { trace } from '../backPointers.js';
import { createPathStates } from '../pathStates.js';
import type { SearchContext, Selector } from '../selector.js';
import type { StepEdits } from '../stepModel.js';

/** The only tokens that may continue a row. */
type AllowedOf = (slot: number, beam: number) => readonly number[];

/** Lists what is allowed in each row of a step, for `StepEdits.allowed`. */
export type AllowedMaker = (rowsPerSentence: number) => Required<Pick<StepEdits, 'allowed' | 'allowedWidth'>>;

/** The tokens that `prefixAllowedTokens` or `allowedSequences` allow; undefined if neither is given. */
export function createAllowedMaker(context: SearchContext, selector: Selector): AllowedMaker | undefined {
  const { frontier, options, classes } = context;
  const leastWidth = Math.max(1, Math.min(selector.candidates, classes.length));
  if (!options.prefixAllowedTokens && !options.allowedSequences) return undefined;
  const allowedOf = options.allowedSequences ? bySequences(context) : byFunction(context);
  return (rowsPerSentence) => {
    const lists: (readonly number[])[] = [];
    for (let slot = 0; slot < frontier.active; slot++) {
      for (let beam = 0; beam < rowsPerSentence; beam++) {
        const dead = frontier.scores[slot * frontier.beams + beam] === Number.NEGATIVE_INFINITY;
        const open = !dead && !frontier.finished[slot] && (selector.isOpen?.(slot, beam) ?? true);
        lists.push(open ? allowedOf(slot, beam) : []);
      }
    }
    const allowedWidth = lists.reduce((width, list) => Math.max(width, list.length), leastWidth);
    const allowed = new Int32Array(lists.length * allowedWidth).fill(-1);
    for (let row = 0; row < lists.length; row++) allowed.set(lists[row], row * allowedWidth);
    return { allowed, allowedWidth };
  };
}

/** The result of the caller's function for a row's ids, decoder prompt included (PrefixConstrained in Hugging Face). */
function byFunction(context: SearchContext): AllowedOf {
  const { frontier, pointers, prompt, sentenceIds, classes } = context;
  const { promptLength, beams } = frontier;
  const allowedTokens = context.options.prefixAllowedTokens as NonNullable<
    SearchContext['options']['prefixAllowedTokens']
  >;
  return (slot, beam) => {
    const sentence = frontier.sentences[slot];
    const begun = prompt.subarray(sentence * promptLength, (sentence + 1) * promptLength);
    const ids = [...begun, ...trace(pointers, frontier.nodes[slot * beams + beam]).ids];
    const returned: unknown = allowedTokens(sentenceIds[sentence], ids);
    const listed = typeof returned === 'object' && returned !== null && Symbol.iterator in returned;
    const allowed = listed ? [...new Set(returned as readonly number[])] : [];
    const bad = allowed.find((id) => !Number.isInteger(id) || id < 0 || id >= classes.length);
    if (bad === undefined && allowed.length > 0) return allowed;
    throw new PolybeamError(
      'OPTION_INVALID',
      `Option prefixAllowedTokens returned ${bad === undefined ? 'no token' : showValue(bad)} for ${inputName(sentenceIds[sentence])} after [${ids}]; return at least one id from 0 to ${classes.length - 1}, such as an end token.`,
    );
  };
}

/** For each node of the trie of all sequences: the child for each token. */
type Trie = Map<number, number>[];

/** The tokens that continue one of the sequences; after a whole one an end token. Sequences do not include a forced first token. */
function bySequences({ frontier, pointers, options, rules, prefix }: SearchContext): AllowedOf {
  const { trie, whole } = makeTrie(options.allowedSequences ?? []);
  const choices = trie.map((children, node) => [
    ...new Set([...children.keys(), ...(whole.has(node) ? rules.eosTokenIds : [])]),
  ]);
  const forcedFirst = frontier.promptLength === 1 && rules.forcedBosTokenId !== undefined ? 1 : 0;
  const skipped = prefix?.length ?? forcedFirst;
  const nodeOf = createPathStates(pointers, 0, (node, token, place) =>
    place <= skipped ? node : (trie[node].get(token) ?? node),
  );
  return (slot, beam) => choices[nodeOf(frontier.nodes[slot * frontier.beams + beam])];
}

function makeTrie(sequences: readonly (readonly number[])[]): { trie: Trie; whole: Set<number> } {
  const trie: Trie = [new Map()];
  const whole = new Set<number>();
  for (const ids of sequences) {
    let node = 0;
    for (const id of ids) {
      let next = trie[node].get(id);
      if (next === undefined) {
        next = trie.push(new Map()) - 1;
        trie[node].set(id, next);
      }
      node = next;
    }
    whole.add(node);
  }
  return { trie, whole };
}
