/** Saving a picture as a file: SVG as it is, PNG drawn from it at twice the size. Nothing leaves the browser. */

export type PictureFormat = "svg" | "png";

const pngScale = 2;

export async function savePicture(svg: string, name: string, format: PictureFormat): Promise<void> {
  const drawing = new Blob([svg], { type: "image/svg+xml" });
  const file = format === "svg" ? drawing : await rasterised(svg);
  const url = URL.createObjectURL(file);
  const link = document.createElement("a");
  link.href = url;
  link.download = `${fileName(name)}.${format}`;
  link.click();
  // The browser has taken the file by the next task.
  setTimeout(() => URL.revokeObjectURL(url), 0);
}

/** Letters, digits and dashes: a name that came from the network is no path. */
export function fileName(name: string): string {
  const plain = name
    .normalize("NFKD")
    .replace(/[^a-z0-9]+/gi, "-")
    .replace(/^-+|-+$/g, "")
    .slice(0, 80)
    .toLowerCase();
  return plain === "" ? "chart" : plain;
}

async function rasterised(svg: string): Promise<Blob> {
  const image = new Image();
  // As data, which the page's policy allows for images.
  image.src = `data:image/svg+xml;charset=utf-8,${encodeURIComponent(svg)}`;
  await image.decode();
  const canvas = document.createElement("canvas");
  canvas.width = image.naturalWidth * pngScale;
  canvas.height = image.naturalHeight * pngScale;
  canvas.getContext("2d")?.drawImage(image, 0, 0, canvas.width, canvas.height);
  return new Promise((resolve, reject) => {
    canvas.toBlob(
      (blob) => (blob === null ? reject(new Error("the picture could not be drawn")) : resolve(blob)),
      "image/png",
    );
  });
}
