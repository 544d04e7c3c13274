import { useSearchParams } from 'react-router';

interface ListFilter<Filter extends string> {
  /** What is searched for. */
  text: string;
  filter: Filter;
  onSearch: (text: string) => void;
  onFilter: (filter: Filter) => void;
  /** The address's part that keeps both, "" while it says nothing. */
  search: string;
}

/** What of a list is shown, kept in the address: a text, and one of `filters`, the first where nothing is said. */
export function useListFilter<Filter extends string>(filters: readonly [Filter, ...Filter[]]): ListFilter<Filter> {
  const [parameters, setParameters] = useSearchParams();
  const put = (name: string, value: string): void => {
    const changed = new URLSearchParams(parameters);
    if (value === '') changed.delete(name);
    else changed.set(name, value);
    setParameters(changed, { replace: true });
  };
  return {
    text: parameters.get('q') ?? '',
    filter: filters.find((one) => one === parameters.get('show')) ?? filters[0],
    onSearch: (text) => put('q', text),
    onFilter: (filter) => put('show', filter === filters[0] ? '' : filter),
    search: parameters.size > 0 ? `?${parameters.toString()}` : '',
  };
}
