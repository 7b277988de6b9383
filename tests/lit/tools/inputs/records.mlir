func.func @first(%x: memref<64xf32>, %y: memref<64xf32>) {
  te.compute axes(i: 64) ins(%x[i]) out(%y[i]) init 0.0 : f32
    schedule [split i 8 io ii, order io ii, vector ii]
    : memref<64xf32>, memref<64xf32> (%v: f32, %acc: f32) {
      %s = arith.addf %v, %v : f32
      te.yield %s : f32
    }
  func.return
}
func.func @second(%x: memref<16xf32>, %y: memref<16xf32>) {
  te.compute axes(i: 16) ins(%x[i]) out(%y[i]) init 0.0 : f32 schedule [split j 8 jo ji]
    : memref<16xf32>, memref<16xf32> (%v: f32, %acc: f32) {
      te.yield %v : f32
    }
  func.return
}
