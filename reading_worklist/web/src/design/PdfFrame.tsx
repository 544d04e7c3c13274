import { useQuery } from '@tanstack/react-query';
import { Skeleton } from 'antd';
import { useEffect, useState } from 'react';

import { fetchDocument } from '../api/client';
import { useLanguage } from '../i18n/language';
import { ProblemNotice } from './Notice';
import './pdfFrame.css';

interface PdfFrameProps {
  title: string;
  address: string;
  queryKey: readonly unknown[];
}

/** A PDF of ours in the browser's own viewer, with a plain link beside it. */
export function PdfFrame({ title, address, queryKey }: PdfFrameProps) {
  const { t } = useLanguage();
  const pdf = usePdf(queryKey, address);
  const url = useObjectUrl(pdf.data);
  return (
    <div className="pdf">
      {pdf.isError && <ProblemNotice error={pdf.error} onRetry={() => void pdf.refetch()} />}
      {pdf.isPending && (
        <div className="pdf-loading" aria-busy="true">
          <Skeleton active paragraph={{ rows: 12 }} />
        </div>
      )}
      {url !== null && (
        <>
          <iframe title={title} src={`${url}#navpanes=0&view=FitH`} />
          <a className="pdf-link" href={address} target="_blank" rel="noreferrer">
            {t('app.openInNewTab')}
          </a>
        </>
      )}
    </div>
  );
}

function useObjectUrl(blob: Blob | undefined): string | null {
  const [url, setUrl] = useState<string | null>(null);
  useEffect(() => {
    if (blob === undefined) return undefined;
    const made = URL.createObjectURL(blob);
    // The address belongs to this blob alone and must be given back with it, so it cannot be made while rendering.
    // eslint-disable-next-line react-hooks/set-state-in-effect
    setUrl(made);
    return () => {
      URL.revokeObjectURL(made);
      setUrl(null);
    };
  }, [blob]);
  return url;
}

/** A PDF as an object of this page; a refusal is a Problem instead of raw text inside a frame. */
function usePdf(queryKey: readonly unknown[], address: string) {
  return useQuery({
    queryKey,
    queryFn: async ({ signal }) => (await fetchDocument(address, signal)).blob(),
    staleTime: Infinity,
  });
}
