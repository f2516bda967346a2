/**
 * What a witness must not forget: for each log it trusts, the checkpoint it cosigned last. One that forgot would cosign a
 * second view, so what is saved is on disk before anybody is answered, and a missing state is an error, never a fresh start.
 */
export interface WitnessState {
  /**
   * The note last cosigned, our own cosignature in it; `undefined` when nothing was cosigned yet.
   *
   * Throws `not-found` for a log that was never begun, `damaged`.
   */
  load(origin: string): Promise<string | undefined>;
  /**
   * Resolves when the note is durable. When it rejects, either the old or the new one is there, whole: load again before
   * going on. One save for a log at a time. Throws `full`, `permission`.
   */
  save(origin: string, note: string): Promise<void>;
  /**
   * Keeps notes that contradict each other, for people to look at; they are on disk when this resolves. Throws `full`, also
   * when some tens of their log are there already, `permission`, `input`.
   */
  keepFork(notes: readonly string[]): Promise<void>;
  close(): Promise<void>;
}
