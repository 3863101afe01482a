import type { TokenCorpus } from '../../pretraining/corpus.js';

/**
 * The running text of a language as rows of one length (Conneau and Lample 2019, section 3.3: "streams of text"): sentences one behind the
 * other, each followed by the end token, cut anywhere; a row begins with one more end token, as the sentences that a translation
 * model reads do. The last row reaches back into the one before it, so that none is padded; a text that is too short for one row is a
 * short row.
 * @param length tokens of a row, from 2
 * @returns rows that share one buffer
 */
export function streamRows(corpus: TokenCorpus, length: number, endToken: number): Int32Array[] {
  const stream = joinDocuments(corpus, endToken);
  if (stream.length === 0) return [];
  const content = Math.min(length - 1, stream.length);
  const count = Math.ceil(stream.length / content);
  const all = new Int32Array(count * (content + 1));
  return Array.from({ length: count }, (_, row) => {
    const from = Math.min(row * content, stream.length - content);
    const ids = all.subarray(row * (content + 1), (row + 1) * (content + 1));
    ids[0] = endToken;
    ids.set(stream.subarray(from, from + content), 1);
    return ids;
  });
}

/** All documents, the end token behind each that is not empty. */
function joinDocuments({ ids, starts }: TokenCorpus, endToken: number): Int32Array {
  const stream = new Int32Array(ids.length + starts.length);
  let at = 0;
  for (let document = 0; document + 1 < starts.length; document++) {
    const [from, to] = [starts[document], starts[document + 1]];
    if (from === to) continue;
    stream.set(ids.subarray(from, to), at);
    at += to - from;
    stream[at++] = endToken;
  }
  return stream.subarray(0, at);
}
