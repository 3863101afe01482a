import {
  type Candidates,
  everyLogit,
  type SelectionSpec,
  type StepEdits,
} from '../../../src/generation/stepModel.js';
import {
  type ContractSubject,
  expectCandidates,
  generator,
  randomHistory,
  rawLogits,
  start,
} from './contractSubject.js';
import { makeEdits } from './contractWalk.js';

const selection: SelectionSpec = {
  ...everyLogit,
  candidates: 4,
  edits: 'values',
  repetitionPenalty: 1.4,
  ownLogits: true,
  rawLogits: true,
};

/** Lengths read at once, and how many of their tokens stay; 40 is more than a cache first has room for. */
const extensions = [
  [4, 4],
  [3, 1],
  [40, 2],
  [1, 1],
  [5, 3],
];

const maxLength = 70;

/** Extensions and steps by turns, from positions that earlier ones wrote beyond; for models that can extend. */
export async function extendAndGoBack(subject: ContractSubject): Promise<void> {
  const { model, sources } = subject;
  if (!model.extend || !model.select) return;
  const random = generator(5);
  const some = (count: number) => Array.from({ length: count }, () => Math.floor(random() * model.vocabSize));
  const editsAfter = (history: number[]) =>
    makeEdits(subject, selection, { values: true, penalize: true }, [history], random);
  const compare = async (got: Candidates, history: number[], edits: StepEdits) => {
    const raw = await rawLogits(subject, [sources[1]], [history]);
    expectCandidates(got, raw, selection, edits, subject);
  };
  let text = randomHistory(subject, 3, 1);
  const first = editsAfter(text);
  const { state, finish } = await start(subject, [sources[1]], [text], 1, maxLength, selection, first);
  for (const [length, kept] of extensions) {
    const tokens = some(length);
    await model.extend(state, Int32Array.from(tokens), text.length);
    for (let place = 0; place < Math.min(length, 4); place++) {
      const history = [...text, ...tokens.slice(0, place + 1)];
      const edits = editsAfter(history);
      await compare(await model.select(state, place, edits), history, edits);
    }
    text = [...text, ...tokens.slice(0, kept), ...some(1)];
    const edits = editsAfter(text);
    const position = text.length - 1;
    const feed = { tokens: Int32Array.of(text[position]), position, ancestry: new Int32Array(maxLength) };
    await compare(await model.step(state, { ...feed, ...edits }), text, edits);
  }
  finish();
}
