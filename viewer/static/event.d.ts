/** What the engine tells, as docs/spec/events.md has it. Fields that do not apply are absent; others may be there. */
export interface EngineEvent {
  type: string;
  time?: string;
  part?: number;
  url?: string;
  origin?: string;
  manifest?: string;
  line?: number;
  off?: number;
  bytes?: number;
  size?: number;
  cached?: boolean;
  conns?: number;
  map?: string;
  error?: string;
  kind?: string;
  until?: string;
  causes?: string[];
}
