/** The package has no types of its own; this is what the benchmark uses of it. */
declare module 'aedes-persistence-redis' {
  import type { AedesOptions } from 'aedes';
  export default function persistence(options: {
    readonly path: string;
    readonly maxSessionDelivery: number;
  }): NonNullable<AedesOptions['persistence']>;
}
