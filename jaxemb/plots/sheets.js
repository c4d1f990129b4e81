// Images lie in sheets, which are decoded when first looked at.
const sheets = [...document.querySelectorAll("script.sheet")]
const decoded = []
function sheetOf(number) {
  decoded[number] ??= new Promise((resolve) => {
    const image = new Image()
    image.onload = () => resolve(image)
    image.src = sheets[number].textContent
  })
  return decoded[number]
}

// The sheet that an image lies in, and where it begins there.
async function placeOf(i, {cell_width, cell_height, columns, per_sheet}) {
  const [row, column] = [Math.floor((i % per_sheet) / columns), (i % per_sheet) % columns]
  return [await sheetOf(Math.floor(i / per_sheet)), column * cell_width, row * cell_height]
}
