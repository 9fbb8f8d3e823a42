/**
 * How many items an instance may take at once. A quarter of an even share of what is left: so claims become small towards the end, nobody has
 * items waiting while another has nothing to do, and all end together however fast each is. At least one.
 */
export const fairShare = (most: number, pending: number, instances: number): number =>
  Math.max(1, Math.min(most, Math.ceil(pending / (4 * Math.max(1, instances)))))
