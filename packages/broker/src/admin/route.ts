/** What a caller of the admin interface asks. */
interface AdminRequest {
  /** The parts of the path that the route names with a colon, decoded. */
  readonly params: Readonly<Record<string, string>>;
  readonly query: Readonly<Record<string, string>>;
  /** JSON; undefined when there is none. */
  readonly body: unknown;
}

/** One thing that the admin interface does. */
export interface AdminRoute {
  readonly method: 'GET' | 'POST' | 'PUT' | 'DELETE';
  readonly path: string;
  /** Whether the loopback port has it too, which knows no caller: only for what alters nothing and tells no secret. */
  readonly open?: boolean;
  /**
   * Answers with what becomes JSON, or with a stream; undefined when there is no such thing (404). An OperatorError
   * becomes 409 with `error`, `code` and `hint`.
   */
  handle(request: AdminRequest): unknown;
}
