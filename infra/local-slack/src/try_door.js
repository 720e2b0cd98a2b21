// Whoever has come by the link once goes on without it. What a page keeps so is for its own port alone, as cookies are not.
const door = localStorage.getItem("door");
if (door && location.pathname === "/try") location.replace(door + location.search);
