import { giveWay } from './abort.js';
import { pickRows } from './jointCandidates.js';
import { joinEdits } from './jointEdits.js';
import type {
  Candidates,
  DecodingState,
  SelectionSpec,
  SourceBatch,
  StartFeed,
  StepFeed,
  StepModel,
} from './stepModel.js';

/** How long a step waits for searches that are busy with something else, such as turning ids into text. Milliseconds. */
const patience = 2;

/** Free places of a group that are worth the copying it takes to close them, as a part of all. */
const closeAt = 1 / 4;

/** A `StepModel` that can take sentences in. */
type AdoptingModel = StepModel & Required<Pick<StepModel, 'adopt'>>;

/**
 * A model that many searches can use at the same time, as if each had it to itself: searches that ask alike (one
 * selection, one number of beams) share their steps, wherever in their outputs they are. A search joins between two steps
 * and leaves its place to the next one. Who is not ready when a step begins is passed over, and is part of a later one.
 *
 * A model that cannot `adopt` is returned as it is: then each search steps by itself.
 */
export function createJointModel(model: StepModel): StepModel {
  return model.adopt ? makeJoint(model as AdoptingModel) : model;
}

/** Searches that step together. */
interface Group {
  key: string;
  spec: SelectionSpec;
  beams: number;
  state: DecodingState;
  /** Positions of a row of the ancestry table. */
  maxLength: number;
  /** Who has each place in the model's batch. */
  places: (Lane | undefined)[];
  ancestry: Int32Array;
  /** Whether sentences are being seated: it lives on, though everybody else may leave meanwhile. */
  boarding: boolean;
}

/** The state of one search. */
interface Lane extends DecodingState {
  batch: number;
  beams: number;
  /** Length of its sources. */
  source: number;
  group: Group;
  /** Of its sentences in the group. [batch] */
  seats: number[];
  /** Whether the last step did not wait for it any longer. */
  late: boolean;
}

interface Pending<Feed, Result> {
  feed: Feed;
  resolve: (result: Result) => void;
  reject: (reason: unknown) => void;
}

type PendingStart = Pending<StartFeed, { state: DecodingState; candidates: Candidates }>;
type PendingStep = Pending<StepFeed, Candidates>;

function makeJoint(model: AdoptingModel): StepModel {
  const groups = new Map<string, Group>();
  let starts: PendingStart[] = [];
  const steps = new Map<Lane, PendingStep>();
  let running = false;

  /** Works until nobody waits for anything. */
  async function run(): Promise<void> {
    running = true;
    while (starts.length + steps.size > 0) {
      await everybodyReady();
      const begun = starts;
      starts = [];
      for (const together of alike(begun)) await startTogether(together);
      for (const group of [...groups.values()]) await stepTogether(group);
    }
    running = false;
  }

  function wake(): void {
    // What goes wrong is told to those who wait.
    if (!running) void run();
  }

  /** Lets all that can happen happen; who takes too long is late. */
  async function everybodyReady(): Promise<void> {
    const end = performance.now() + patience;
    const busy = () => lanesOf(groups.values()).filter((lane) => !lane.late && !steps.has(lane));
    do await giveWay();
    while (busy().length > 0 && performance.now() < end);
    for (const lane of busy()) lane.late = true;
  }

  async function startTogether(pending: PendingStart[]): Promise<void> {
    const [{ feed }] = pending;
    const spec = { ...feed.selection, ownPositions: true };
    const maxLength = roomFor(Math.max(...pending.map((one) => one.feed.maxLength)), model.maxPositions);
    const feeds = pending.map((one) => one.feed);
    try {
      const started = await model.start(joinStarts(feeds, spec, maxLength));
      const { group, seats } = await seat(feed.beams, spec, maxLength, started.state);
      let first = 0;
      for (const { feed: own, resolve } of pending) {
        const { batch } = own.source;
        const lane: Lane = {
          batch,
          beams: feed.beams,
          source: own.source.source,
          group,
          seats: seats.slice(first, first + batch),
          late: false,
        };
        for (const place of lane.seats) group.places[place] = lane;
        const rows = Array.from({ length: batch }, (_, sentence) => first + sentence);
        resolve({ state: lane, candidates: pickRows(started.candidates, rows, lane.source, own.lookupWidth) });
        first += batch;
      }
      group.boarding = false;
    } catch (error) {
      // One that cannot be started must not take others with it.
      if (pending.length > 1) for (const one of pending) await startTogether([one]);
      else pending[0].reject(error);
    }
  }

  /** Gives newly started sentences places in their group, free ones first. */
  async function seat(
    beams: number,
    spec: SelectionSpec,
    maxLength: number,
    started: DecodingState,
  ): Promise<{ group: Group; seats: number[] }> {
    const key = keyOf(spec, beams);
    const group = groups.get(key);
    if (!group) {
      const places = new Array<undefined>(started.batch).fill(undefined);
      const ancestry = new Int32Array(started.batch * beams * maxLength);
      const made = { key, spec, beams, state: started, maxLength, places, ancestry, boarding: true };
      groups.set(key, made);
      return { group: made, seats: [...places.keys()] };
    }
    group.boarding = true;
    const seats = [...group.places.keys()].filter((place) => !group.places[place]).slice(0, started.batch);
    for (let next = group.places.length; seats.length < started.batch; next++) seats.push(next);
    group.state = await model.adopt(group.state, started, seats).catch((error) => {
      model.dispose(started);
      group.boarding = false;
      disposeIfEmpty(group);
      throw error;
    });
    for (let place = group.places.length; place < group.state.batch; place++) group.places.push(undefined);
    group.maxLength = Math.max(group.maxLength, maxLength);
    const size = group.places.length * beams * group.maxLength;
    if (group.ancestry.length !== size) group.ancestry = new Int32Array(size);
    return { group, seats };
  }

  async function stepTogether(group: Group): Promise<void> {
    const ready = lanesOf([group]).filter((lane) => steps.has(lane));
    if (ready.length === 0) return;
    const taken = ready.map((lane) => ({ lane, ...(steps.get(lane) as PendingStep) }));
    for (const lane of ready) steps.delete(lane);
    try {
      await closeGaps(group);
      const candidates = await model.step(group.state, joinSteps(group, taken));
      for (const { lane, feed, resolve } of taken) {
        resolve(pickRows(candidates, rowsOf(lane), lane.source, feed.lookupWidth));
      }
    } catch (error) {
      for (const { reject } of taken) reject(error);
    }
  }

  /** Takes places out of the batch that nobody has. */
  async function closeGaps(group: Group): Promise<void> {
    const kept = [...group.places.keys()].filter((place) => group.places[place]);
    const free = group.places.length - kept.length;
    if (free === 0 || free < group.places.length * closeAt || starts.length > 0) return;
    group.state = await model.keep(group.state, kept);
    group.places = kept.map((place) => group.places[place]);
    for (const lane of lanesOf([group])) lane.seats = lane.seats.map((place) => kept.indexOf(place));
    group.ancestry = new Int32Array(kept.length * group.beams * group.maxLength);
  }

  function leave(lane: Lane, seats: readonly number[]): void {
    const { group } = lane;
    for (const place of seats) group.places[place] = undefined;
    disposeIfEmpty(group);
  }

  function disposeIfEmpty(group: Group): void {
    if (group.boarding || group.places.some((one) => one)) return;
    groups.delete(group.key);
    model.dispose(group.state);
  }

  return {
    vocabSize: model.vocabSize,
    maxPositions: model.maxPositions,
    maxSource: model.maxSource,
    attention: model.attention,
    givesHidden: model.givesHidden,
    start: (feed) =>
      new Promise((resolve, reject) => {
        starts.push({ feed, resolve, reject });
        wake();
      }),
    step: (state, feed) =>
      new Promise((resolve, reject) => {
        const lane = state as Lane;
        lane.late = false;
        steps.set(lane, { feed, resolve, reject });
        wake();
      }),
    keep: async (state, sentences) => {
      const lane = state as Lane;
      const left = lane.seats.filter((_, sentence) => !sentences.includes(sentence));
      lane.seats = sentences.map((sentence) => lane.seats[sentence]);
      lane.batch = sentences.length;
      leave(lane, left);
      return lane;
    },
    dispose: (state) => leave(state as Lane, (state as Lane).seats),
  };
}

function keyOf(spec: SelectionSpec, beams: number): string {
  return JSON.stringify([beams, spec]);
}

function lanesOf(groups: Iterable<Group>): Lane[] {
  const lanes = new Set<Lane>();
  for (const { places } of groups) for (const lane of places) if (lane) lanes.add(lane);
  return [...lanes];
}

/** Those that can be started in one batch. */
function alike(pending: readonly PendingStart[]): PendingStart[][] {
  const sorted = new Map<string, PendingStart[]>();
  for (const one of pending) {
    const key = `${keyOf(one.feed.selection, one.feed.beams)} ${one.feed.promptLength}`;
    sorted.set(key, [...(sorted.get(key) ?? []), one]);
  }
  return [...sorted.values()];
}

/** Room in ancestry tables, in few sizes, so that they seldom change. */
function roomFor(maxLength: number, maxPositions: number): number {
  let room = 64;
  while (room < maxLength) room *= 2;
  return Math.min(room, maxPositions);
}

function joinStarts(feeds: readonly StartFeed[], selection: SelectionSpec, maxLength: number): StartFeed {
  const source = joinSources(feeds.map((feed) => feed.source));
  const prompt = new Int32Array(source.batch * feeds[0].promptLength);
  const rows = Array.from({ length: source.batch }, (_, row) => row);
  let first = 0;
  const parts = feeds.map((edits) => {
    prompt.set(edits.prompt, first * edits.promptLength);
    const own = rows.slice(first, first + edits.source.batch);
    first += edits.source.batch;
    return { edits, rows: own };
  });
  const { promptLength, beams } = feeds[0];
  return {
    source,
    prompt,
    promptLength,
    beams,
    maxLength,
    selection,
    ...joinEdits(parts, source.batch, selection),
  };
}

/** Sources padded to the longest. */
function joinSources(sources: readonly SourceBatch[]): SourceBatch {
  const source = Math.max(...sources.map((one) => one.source));
  const batch = sources.reduce((sum, one) => sum + one.batch, 0);
  const inputIds = new Int32Array(batch * source);
  const attentionMask = new Int32Array(batch * source);
  let row = 0;
  for (const one of sources) {
    for (let from = 0; from < one.batch * one.source; from += one.source, row++) {
      inputIds.set(one.inputIds.subarray(from, from + one.source), row * source);
      attentionMask.set(one.attentionMask.subarray(from, from + one.source), row * source);
    }
  }
  return { inputIds, attentionMask, batch, source };
}

/** One step of all who are ready. */
function joinSteps(group: Group, ready: readonly { lane: Lane; feed: StepFeed }[]): StepFeed {
  const { beams, places, maxLength, ancestry, spec } = group;
  // A place that nobody has is filled with whatever costs least; a search that is passed over takes no part.
  const positions = Int32Array.from(places, (lane) => (lane ? -1 : 0));
  const tokens = new Int32Array(places.length * beams);
  for (const { lane, feed } of ready) {
    const own = feed.ancestry.length / (lane.batch * beams);
    lane.seats.forEach((place, sentence) => {
      positions[place] = feed.position;
      for (let beam = 0; beam < beams; beam++) {
        const from = sentence * beams + beam;
        const to = place * beams + beam;
        tokens[to] = feed.tokens[from];
        ancestry.set(feed.ancestry.subarray(from * own, from * own + feed.position + 1), to * maxLength);
      }
    });
  }
  const parts = ready.map(({ lane, feed }) => ({ edits: feed, rows: rowsOf(lane) }));
  const position = positions.reduce((most, one) => Math.max(most, one), 0);
  return { tokens, position, positions, ancestry, ...joinEdits(parts, tokens.length, spec) };
}

/** The rows of a search among those of its group. */
function rowsOf({ seats, beams }: Lane): number[] {
  return seats.flatMap((place) => Array.from({ length: beams }, (_, beam) => place * beams + beam));
}
