/** A processor in use: lists its changes of one row. */
export interface RowEditor {
  /** Called once after the frontier moved on, before the rows are edited. */
  advance?(): void;
  /**
   * @param slot of the row's sentence, which is not finished
   * @param beam whose path the row continues
   * @param row of the model
   * @param count number of the new token that is to be chosen, from 1
   */
  edit(slot: number, beam: number, row: number, count: number): void;
}
