// A 3x3 convolution with bias and ReLU, as the graph level hands it down: 16 channels to 16, 8x8
// pixels, in memory with a border of zeros. The schedule is ours: two pixels at a time.
//
//   lamina-opt examples/ladder.mlir -p te-schedule,te-to-loops,te-to-vec
func.func private @conv(%x: memref<10x10x16xf32>, %w: memref<3x3x16x16xf32>, %bias: memref<16xf32>, %y: memref<8x8x16xf32>) {
  te.compute
    axes(oh: 8, ow: 8, oc: 16, reduce ic: 16, reduce kh: 3, reduce kw: 3)
    ins(%x[oh + kh, ow + kw, ic], %w[kh, kw, ic, oc])
    extras(%bias[oc])
    out(%y[oh, ow, oc])
    init 0.0 : f32
    schedule [split ow 2 owo owi, order oh owo kh kw ic owi oc, parallel oh, unroll owi, vector oc]
    : memref<10x10x16xf32>, memref<3x3x16x16xf32>, memref<16xf32>, memref<8x8x16xf32>
    (%a: f32, %b: f32, %acc: f32) {
      %s = math.fma %a, %b, %acc : f32
      te.yield %s : f32
    } epilogue (%v: f32, %c: f32) {
      %zero = arith.constant 0.0 : f32
      %t = arith.addf %v, %c : f32
      %r = arith.maximumf %t, %zero : f32
      te.yield %r : f32
    }
  func.return
}
