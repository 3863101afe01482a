import { expect } from 'vitest';
import { type Candidates, everyLogit, type SelectionSpec } from '../../../src/generation/stepModel.js';
import {
  type ContractSubject,
  expectCandidates,
  generator,
  randomHistory,
  rawLogits,
  start,
} from './contractSubject.js';

/** A sentence at a place of a batch, at a position of its own. */
interface Passenger {
  source: readonly number[];
  /** Of each beam. */
  histories: number[][];
}

/**
 * Two sentences start; one leaves, one pauses, others with prompts of other lengths take its place and a new one. Every
 * row of every step is compared with the reference. Steps that fail come before some of them.
 */
export async function joinAndLeave(subject: ContractSubject, beams: number): Promise<void> {
  const { model, sources, decoderStartTokenId } = subject;
  const random = generator(29);
  const selection: SelectionSpec = { ...everyLogit, candidates: 5, edits: 'bans', ownPositions: true };
  const board = async (given: readonly (readonly number[])[], prompts: readonly number[][], room: number) => {
    const started = await start(subject, given, prompts, beams, room, selection);
    expectCandidates(started.candidates, await rawLogits(subject, given, prompts), selection, {}, subject);
    const riders = given.map((source, at): Passenger => {
      return { source, histories: Array.from({ length: beams }, () => [...prompts[at]]) };
    });
    return { state: started.state, riders };
  };
  const first = await board(sources.slice(1), [[decoderStartTokenId], [decoderStartTokenId]], 40);
  let { state } = first;
  let seats: (Passenger | undefined)[] = first.riders;
  let room = 40;
  let ancestry = new Int32Array(seats.length * beams * room);

  const step = async (paused: readonly number[] = []) => {
    const before = ancestry.slice();
    const tokens = new Int32Array(seats.length * beams);
    const positions = new Int32Array(seats.length);
    const read: { row: number; source: readonly number[]; history: number[] }[] = [];
    seats.forEach((passenger, place) => {
      if (!passenger) return;
      positions[place] = paused.includes(place) ? -1 : passenger.histories[0].length;
      if (positions[place] < 0) return;
      passenger.histories = passenger.histories.map((_, beam) => {
        const parent = Math.floor(random() * beams);
        const row = place * beams + beam;
        const from = (place * beams + parent) * room;
        ancestry.set(before.subarray(from, from + positions[place]), row * room);
        ancestry[row * room + positions[place]] = beam;
        tokens[row] = Math.floor(random() * model.vocabSize);
        const history = [...passenger.histories[parent], tokens[row]];
        read.push({ row, source: passenger.source, history });
        return history;
      });
    });
    const cells = Int32Array.from(read.flatMap(({ row }) => [row, row % model.vocabSize]));
    const position = Math.max(...positions);
    const got = await model.step(state, { tokens, position, positions, ancestry, cells });
    const raw = await rawLogits(
      subject,
      read.map(({ source }) => source),
      read.map(({ history }) => history),
    );
    // The rows that were asked about, as if they were all.
    const edits = { cells: Int32Array.from(read.flatMap(({ row }, at) => [at, row % model.vocabSize])) };
    const some = <T extends Int32Array | Float32Array>(values: T, width: number) =>
      values.filter((_, at) => read.some(({ row }) => row === Math.floor(at / width))) as T;
    const asked: Candidates = {
      rows: read.length,
      width: got.width,
      ids: some(got.ids as Int32Array, got.width),
      logits: some(got.logits, got.width),
      logSumExp: some(got.logSumExp, 1),
    };
    expectCandidates(asked, raw, selection, edits, subject);
  };
  /** A step of all sentences that an edit of one of them makes fail. */
  const fail = async () => {
    const positions = Int32Array.from(seats, (passenger) => passenger?.histories[0].length ?? 0);
    const table = ancestry.slice();
    for (let row = 0; row < seats.length * beams; row++) {
      table[row * room + positions[Math.floor(row / beams)]] = row % beams;
    }
    const failing = model.step(state, {
      tokens: new Int32Array(seats.length * beams).fill(decoderStartTokenId),
      position: Math.max(...positions),
      positions,
      ancestry: table,
      cells: Int32Array.of(0, model.vocabSize + 7),
    });
    await expect(failing).rejects.toThrow();
  };
  const take = async (
    given: Awaited<ReturnType<typeof board>>,
    places: readonly number[],
    theirRoom: number,
  ) => {
    state = await model.adopt!(state, given.state, places);
    const [old, width] = [ancestry, room];
    room = Math.max(room, theirRoom);
    given.riders.forEach((rider, at) => {
      seats[places[at]] = rider;
    });
    ancestry = new Int32Array(seats.length * beams * room);
    for (let row = 0; row * width < old.length; row++) {
      ancestry.set(old.subarray(row * width, (row + 1) * width), row * room);
    }
    for (const place of places) ancestry.fill(0, place * beams * room, (place + 1) * beams * room);
  };

  await step();
  await fail();
  await step();
  await fail();
  await step([0]);
  await step([1]);
  await step([0]);
  seats[1] = undefined;
  // The longest source of all, and a prompt that is longer than what the others have written.
  const prompt = randomHistory(subject, 36, 3);
  await take(await board([sources[0], sources[2]], [prompt, prompt], 50), [1, 2], 50);
  await step();
  await fail();
  await step([1]);
  seats[2] = undefined;
  await step();
  state = await model.keep(state, [0, 1]);
  seats = seats.slice(0, 2);
  ancestry = ancestry.slice(0, 2 * beams * room);
  await step([0]);
  await take(await board([sources[1]], [[decoderStartTokenId]], 40), [2], 40);
  await step();
  await step();
  // Sources are cut to the shortest, and grow again.
  const lengths = seats.map((passenger) => passenger!.source.length);
  const shortest = lengths.indexOf(Math.min(...lengths));
  state = await model.keep(state, [shortest], lengths[shortest]);
  seats = [seats[shortest]];
  ancestry = ancestry.slice(shortest * beams * room, (shortest + 1) * beams * room);
  await step();
  await take(await board([sources[1], sources[0]], [prompt, prompt], 50), [1, 2], 50);
  await step([1]);
  await step();
  model.dispose(state);
}
