/**
 * Other ways to say a sentence, the nearest in meaning first, with a model that writes and compares (SimBERT, RoFormer-Sim): many are
 * drawn at random, and ranked by the cosine of their vectors with that of the sentence.
 *   npx tsx examples/paraphrase.ts DIRECTORY [SENTENCE ...]
 *
 * DIRECTORY is what `polybeam pretrain` made with the objective simbert or roformerSim, or a public SimBERT in Hugging Face's layout with
 * "polybeam": {"prefix_lm": true} in its config.json.
 */
import { embedTexts, loadModel, similarity } from '../src/node.js';

const [directory, ...given] = process.argv.slice(2);
if (directory === undefined) {
  console.error('usage: npx tsx examples/paraphrase.ts DIRECTORY [SENTENCE ...]');
  process.exit(2);
}
const sentences = given.length > 0 ? given : ['command line tool to convert images'];

const model = await loadModel(directory);
const outputs = await model.generate(
  sentences.map((text) => ({ text })),
  { doSample: true, topP: 0.95, numReturnSequences: 30 },
);
for (const [at, sentence] of sentences.entries()) {
  const drawn = new Set(outputs[at].sequences.map(({ text = '' }) => text.trim()));
  drawn.delete(sentence);
  drawn.delete('');
  const candidates = [...drawn];
  const [own, ...others] = await embedTexts(model, [sentence, ...candidates]);
  const ranked = candidates
    .map((text, index) => ({ text, cosine: similarity(own, others[index]) }))
    .sort((a, b) => b.cosine - a.cosine);
  console.log(sentence);
  for (const { text, cosine } of ranked.slice(0, 10)) console.log(`  ${cosine.toFixed(3)}  ${text}`);
}
await model.dispose();
