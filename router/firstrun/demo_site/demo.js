// Tells what the snippet did, by its public interface: window.callRouter and its DOM event.
(function () {
  'use strict';
  const place = document.getElementById('demo-number');

  function tell(number) {
    // No line may break inside the number.
    const text = number.national.replace(/ /g, '\u00a0').replace(/-/g, '\u2011');
    place.textContent = `This visit was given ${text} (${number.e164}). `
      + 'Call it, or run “make call”, and the live page says which advertisement it was.';
  }

  document.addEventListener('call-router:swapped', (event) => tell(event.detail));
  if (window.callRouter && window.callRouter.number) tell(window.callRouter.number);
})();
