/** What a store takes on the disk, in bytes. */
export interface StoreStats {
  readonly file: string;
  readonly bytes: number;
  /** Of those, what is free and will be used again before the file grows. */
  readonly freeBytes: number;
  /** Rows of any kind. */
  readonly rows: number;
  readonly format: number;
}

/** What only a store on a disk needs. */
export interface Maintenance {
  stats(): StoreStats;
  /**
   * Writes what is durable now into a store of its own, while this one goes on. `directory` may not be there yet.
   * @throws OperatorError `data_dir.unusable`
   */
  backup(directory: string): Promise<void>;
  /**
   * Gives free pages back to the file system, while the store goes on; resolves with the bytes of the file before and
   * after.
   * @throws OperatorError `store.busy` when another is under way, or more is written meanwhile than can be kept up with
   */
  compact(): Promise<{ readonly before: number; readonly after: number }>;
}
