// What a worker runs, as text.
export default "the worker's source";
