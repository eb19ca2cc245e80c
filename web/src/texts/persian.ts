import "~/texts/persian.css";

export { messages } from "~/texts/fa";
