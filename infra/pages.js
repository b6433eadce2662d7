// CloudFront function, viewer request. PAGES (address -> file) and NOT_FOUND (status, headers, body)
// are put in front of it when the package is made (infra/template.py).
function handler(event) {
  var page = PAGES[event.request.uri];
  if (!page) {
    return NOT_FOUND;
  }
  event.request.uri = page;
  return event.request;
}
